import type { LiveFaultRow } from "../../record/live-record.js";
import { delayOf, type FaultCourse, type Handover, readingsOf } from "../witness/handovers.js";
import type { DoneFault } from "./fault-runner.js";
import { shardsOf } from "./owner-of.js";
import { isOutOfService } from "./planned-fault.js";

/** A gateway that is back takes its shards back within this time, or does not. */
const REJOIN_MILLIS = 2_000;

const NOTHING: Handover = { taken: 0, kept: 0, firstMillis: null, lastMillis: null, delays: [] };

/** How shards are dealt. */
interface Layout {
	readonly shards: number;
	readonly gateways: number;
}

/** The shards that a fault has hit: those of its gateway at that time; all of them, if it has hit the broker. */
export function shardsHit(
	{ fault, atMillis }: DoneFault,
	all: readonly DoneFault[],
	layout: Layout,
): readonly number[] {
	if (fault.gateway === null) {
		return Array.from({ length: layout.shards }, (_, shard) => shard);
	}
	const isAlive = (gateway: number) =>
		!all.some(
			(other) =>
				other.fault.gateway === gateway &&
				isOutOfService(other.fault) &&
				other.atMillis < atMillis &&
				(other.endMillis === null || other.endMillis + REJOIN_MILLIS > atMillis),
		);
	return shardsOf(fault.gateway, layout, isAlive);
}

/** A row of the record for each fault that was done, with what the witness has found. */
export function faultRows(
	done: readonly DoneFault[],
	courses: readonly FaultCourse[],
	{ originMillis, ...layout }: Layout & { readonly originMillis: number },
): readonly LiveFaultRow[] {
	return done.map((each, n) => {
		const { fault, atMillis, endMillis } = each;
		const { commits, readings } = courses[n] ?? { commits: NOTHING, readings: NOTHING };
		const seconds = (millis: number | null) => (millis === null ? null : millis / 1_000);
		return {
			kind: fault.kind,
			text: fault.text,
			gateway: fault.gateway,
			atSeconds: (atMillis - originMillis) / 1_000,
			lastedSeconds: endMillis === null ? null : (endMillis - atMillis) / 1_000,
			shards: shardsHit(each, done, layout).length,
			shardsTaken: commits.taken,
			shardsKept: commits.kept,
			firstCommitSeconds: seconds(commits.firstMillis),
			lastCommitSeconds: seconds(commits.lastMillis),
			firstReadingSeconds: seconds(readings.firstMillis),
			lastReadingSeconds: seconds(readings.lastMillis),
			readingsDelayed: readingsOf(readings.delays),
			delayP99Seconds: delayOf(readings, 0.99),
			delayMaxSeconds: delayOf(readings, 1),
		};
	});
}

// All plain devices of a run, in the fleet's namespace: the argument is a file with a `PlainFleetConfig`. Talks to gateways over
// TCP, one connection to each. Says how many requests it has sent, `{ "requests": … }`, and at the end `{ "report": … }`. Ends
// early on SIGTERM, and at once when its input ends.
import { readFileSync } from "node:fs";
import seedrandom from "seedrandom";
import { parsed } from "../parsed.js";
import { ReadingBytes } from "../witness/reading-bytes.js";
import { GatewayLink } from "./gateway-link.js";
import { type PlainFleetReport, plainFleetConfigSchema } from "./plain-config.js";
import { PlainFleet, type PlainRequest } from "./plain-fleet.js";
import { writeLedger } from "./plain-ledger.js";

const TICK_MILLIS = 2;
const PROGRESS_MILLIS = 500;

const file = process.argv[2] ?? "";
const config = parsed(plainFleetConfigSchema, readFileSync(file, "utf8"), file);
const origin = BigInt(config.originNanos);
const nowMicros = () => Number(process.hrtime.bigint() - origin) / 1_000;
const bytes = new ReadingBytes(config.readingBytes);

const links = config.gateways.map(
	(place) =>
		new GatewayLink(place, config.connectTimeoutMillis, (id, isStored) =>
			fleet.answered(id, isStored, Math.max(0, nowMicros())),
		),
);
const fleet: PlainFleet = new PlainFleet(
	{
		firmware: config.firmware,
		phasesMicros: config.phasesMicros,
		homeOf: (device) => (device % config.shards) % config.gateways.length,
		changes: config.changes,
		readings: config.readings,
	},
	(gateway, request) => links[gateway]?.send(wireRequest(request)),
	seedrandom(config.seed),
);

function wireRequest({ id, device, readings }: PlainRequest) {
	return {
		id,
		device,
		readings: readings.map((index): [number, number, string] => [
			index,
			Math.floor(fleet.takenAt(device, index) / 1_000),
			bytes.of(device, index).toString("base64"),
		]),
	};
}

async function end(complete: boolean): Promise<void> {
	clearInterval(ticking);
	clearInterval(saying);
	const atMicros = Math.min(Math.max(0, nowMicros()), config.untilMicros);
	for (const link of links) {
		link.end();
	}
	const accounts = fleet.accounts(atMicros);
	await writeLedger(config.ledger, config.readings, accounts);
	const report: PlainFleetReport = {
		complete,
		requests: fleet.requests,
		timeouts: fleet.timeouts,
		failures: fleet.failures,
		sentAgain: accounts.reduce((sum, { sentAgain }) => sum + sentAgain, 0),
		lateMillisP99: p99(fleet.lateMillis),
	};
	process.stdout.write(`${JSON.stringify({ report })}\n`, () => process.exit(0));
}

function p99(counts: ReadonlyMap<number, number>): number {
	const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
	let below = 0;
	for (const [value, count] of [...counts].sort(([a], [b]) => a - b)) {
		below += count;
		if (below >= total * 0.99) {
			return value;
		}
	}
	return 0;
}

const ticking = setInterval(() => {
	const now = nowMicros();
	if (now >= config.untilMicros) {
		void end(true);
	} else if (now >= 0) {
		fleet.runDue(now);
	}
}, TICK_MILLIS);
const saying = setInterval(() => {
	process.stdout.write(`${JSON.stringify({ requests: fleet.requests })}\n`);
}, PROGRESS_MILLIS);
process.once("SIGTERM", () => void end(false));
process.stdin.on("end", () => process.exit(1)).resume();

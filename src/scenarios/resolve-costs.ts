import type { Micros } from "../units/micros.js";
import type { Calibration } from "./calibration.js";
import { type GatewayCosts, NO_KERNEL_COSTS } from "./frame-costs.js";

/** The keys of a scenario that state a cost. */
interface StatedCosts {
	readonly helloCpu?: Micros | undefined;
	readonly dataCpu?: Micros | undefined;
	readonly readingCpuNanos?: number | undefined;
}

const NANOS_PER_MICRO = 1_000;
const STATED = "stated";

/**
 * Fills in what a scenario leaves out. Whoever states what a session (or a DATA frame) costs states all of it: the filter's
 * part of such frames is then 0, whatever becomes of them.
 */
export function resolveCosts(given: StatedCosts, calibration: Calibration): GatewayCosts {
	const { userSpace, kernel } = calibration;
	const { helloCpu, dataCpu, readingCpuNanos } = given;
	const { helloPassNanos, helloDeferNanos, helloDropNanos, dataPassNanos, dataDropNanos } = kernel;
	const measured = `calibration of ${calibration.host.cpu}, ${calibration.date}`;
	const from = (value: number | undefined) => (value === undefined ? measured : STATED);
	return {
		helloNanos: helloCpu === undefined ? userSpace.helloNanos : helloCpu * NANOS_PER_MICRO,
		dataNanos: dataCpu === undefined ? userSpace.dataNanos : dataCpu * NANOS_PER_MICRO,
		readingNanos: readingCpuNanos ?? userSpace.readingNanos,
		kernel: {
			...NO_KERNEL_COSTS,
			...(helloCpu === undefined ? { helloPassNanos, helloDeferNanos, helloDropNanos } : {}),
			...(dataCpu === undefined ? { dataPassNanos, dataDropNanos } : {}),
		},
		source: { helloCpu: from(helloCpu), dataCpu: from(dataCpu), readingCpuNanos: from(readingCpuNanos) },
	};
}

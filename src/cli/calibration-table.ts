import { formatExact } from "../reports/format.js";
import type { Calibration } from "../scenarios/calibration.js";
import { renderTable } from "./bench/table.js";

/** Old costs beside new ones, as text. */
export function calibrationTable(before: Calibration, after: Calibration): string {
	const rows = [
		row("HELLO, a session", before.userSpace.helloNanos, after.userSpace.helloNanos),
		row("DATA, a frame", before.userSpace.dataNanos, after.userSpace.dataNanos),
		row("DATA, a reading", before.userSpace.readingNanos, after.userSpace.readingNanos),
		row("kernel: HELLO passed", before.kernel.helloPassNanos, after.kernel.helloPassNanos),
		row("kernel: HELLO answered DEFER", before.kernel.helloDeferNanos, after.kernel.helloDeferNanos),
		row("kernel: HELLO dropped", before.kernel.helloDropNanos, after.kernel.helloDropNanos),
		row("kernel: DATA passed", before.kernel.dataPassNanos, after.kernel.dataPassNanos),
		row("kernel: DATA dropped", before.kernel.dataDropNanos, after.kernel.dataDropNanos),
	];
	const { framesPerSecond, seconds, samples } = after.load;
	const title = [
		`CPU time in nanoseconds. Before: ${before.host.cpu}, ${before.date}`,
		`Under ${formatExact(framesPerSecond)} frames/s for ${seconds} s in all, ${formatExact(samples)} stretches of work timed; kernel: ${after.kernelFrom}`,
	].join("\n");
	return renderTable({ title, head: ["", "before", "now", "change"], rows });
}

function row(name: string, before: number, after: number): string[] {
	const change =
		before === 0 ? "" : `${after >= before ? "+" : ""}${Math.round((after / before - 1) * 100)} %`;
	return [name, formatExact(before), formatExact(after), change];
}

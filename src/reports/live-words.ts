import type { LabelledLive } from "./live-groups.js";
import { showFigure } from "./live-tables.js";

/** How to read a live run, said once for Markdown and HTML. */
export const LIVE_METHOD: readonly string[] = [
	"The scenario as real packets: real device stacks, sockets, gateways and the filter in the kernel, between network namespaces of one machine. Measured figures are noisy. Predicted ones are the simulator's for the same scenario, seed and policy, computed before the first packet was sent.",
	"A veth pair says how parts compare, not what a network card does.",
];

/** A live run in one sentence: its headlines, and whether what must hold does. */
export function liveAnswer({ live }: LabelledLive): string {
	const headlines = live.figures
		.filter(({ headline }) => headline === true)
		.map((figure) => {
			const { name, unit, measured, predicted, verdict } = figure;
			const aside = [
				...(predicted === null ? [] : [`predicted ${showFigure(predicted, unit)}`]),
				...(verdict === undefined ? [] : [`target ${verdict}`]),
			];
			const brackets = aside.length === 0 ? "" : ` (${aside.join(", ")})`;
			return `${name}: ${showFigure(measured, unit)}${brackets}`;
		});
	const broken = live.assertions.filter(({ holds }) => !holds);
	const checks =
		broken.length > 0
			? `DOES NOT HOLD: ${broken.map(({ name }) => name).join(", ")}`
			: `${live.assertions.length} of ${live.assertions.length} checks hold`;
	return `${[...headlines, checks].join("; ")}.`;
}

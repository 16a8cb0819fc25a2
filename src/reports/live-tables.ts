import type { LiveFigure, LiveRecord } from "../record/live-record.js";
import {
	formatCount,
	formatExact,
	formatList,
	formatPercent,
	formatRatio,
	formatSeconds,
	NONE,
} from "./format.js";
import type { Table } from "./tables.js";

/** Units that are not just a noun behind a count. */
const FORMATS: Readonly<Record<string, (value: number) => string>> = {
	share: formatPercent,
	seconds: formatSeconds,
	ratio: formatRatio,
};

/** Below this, counts are written to the digit. */
const EXACT_BELOW = 10_000_000;

/** A value in its unit. */
export function showFigure(value: number | null, unit: string): string {
	if (value === null || !Number.isFinite(value)) {
		return NONE;
	}
	const format = Object.hasOwn(FORMATS, unit) ? FORMATS[unit] : undefined;
	if (format !== undefined) {
		return format(value);
	}
	const isExact = Number.isInteger(value) && Math.abs(value) < EXACT_BELOW;
	return `${isExact ? formatExact(value) : formatCount(value)} ${unit}`.trimEnd();
}

function ratio({ measured, predicted, verdict }: LiveFigure): string {
	const isKnown = measured !== null && predicted !== null && predicted > 0 && measured >= 0;
	const text = isKnown ? formatRatio(measured / predicted) : NONE;
	return verdict === undefined ? text : `${text}, ${verdict}`;
}

/** Measured beside predicted, a figure a row. */
export function liveTable(live: LiveRecord): Table {
	let group = "";
	return {
		caption: "Measured, beside what the simulator predicted",
		corner: "",
		columns: ["Measured (noisy)", "Predicted (exact)", "Measured / predicted"],
		rows: live.figures.map((figure) => {
			const opens = figure.group !== group;
			group = figure.group;
			return {
				label: figure.name,
				...(opens ? { group } : {}),
				...(figure.note === undefined ? {} : { means: figure.note }),
				cells: [
					{ text: showFigure(figure.measured, figure.unit), bad: figure.verdict === "missed" },
					{ text: showFigure(figure.predicted, figure.unit), bad: false },
					{ text: ratio(figure), bad: figure.verdict === "missed" },
				],
			};
		}),
		textual: false,
	};
}

/** How figures of the table came about, each note once. */
export function liveNotes(live: LiveRecord): readonly string[] {
	const names = new Map<string, string[]>();
	for (const { name, note } of live.figures) {
		if (note !== undefined) {
			names.set(note, [...(names.get(note) ?? []), name]);
		}
	}
	return [...names].map(([note, figures]) => `${formatList(figures)}: ${note}.`);
}

/** What had to hold, and whether it did. */
export function liveChecks(live: LiveRecord): Table {
	return {
		caption: "What must hold",
		corner: "Check",
		columns: ["Holds", "Found"],
		rows: live.assertions.map(({ name, holds, message }) => ({
			label: name,
			cells: [
				{ text: holds ? "yes" : "NO", bad: !holds },
				{ text: message, bad: !holds },
			],
		})),
		textual: true,
	};
}

/** How and where the run ran. */
export function liveSetup(live: LiveRecord): Table {
	const { xdp } = live;
	const because = xdp.reason === null ? "" : ` (asked for ${xdp.asked}: ${xdp.reason})`;
	const facts: readonly (readonly [string, string])[] = [
		["Policy, seed", `${live.policy}, ${live.seed}`],
		["Devices", formatExact(live.devices)],
		["Gateways", formatExact(live.gateways)],
		["XDP", `${xdp.used}${because}`],
		["Speed", `${formatCount(live.speed)} virtual seconds a second`],
		["Wall time", formatSeconds(live.seconds)],
		["Ran to its end", live.complete ? "yes" : "NO, stopped"],
		...Object.entries(live.environment),
	];
	return {
		caption: "How it ran",
		corner: "",
		columns: ["Value"],
		rows: facts.map(([label, text]) => ({ label, cells: [{ text, bad: text.startsWith("NO,") }] })),
		textual: true,
	};
}

/** The figures in the order of columns; a record is called `forecast, TRACE, FORECASTER: FIGURE`. */
const FIGURES = [
	["peak error", 2],
	["busy error", 2],
	["lead time", 1],
	["coverage of the 90 % band", 3],
	["coverage when busy", 3],
	["false alarms", 2],
];
const NAME = /^forecast, (.+), ([^,]+): (.+)$/;

const line = (cells) => `| ${cells.join(" | ")} |`;

/** Forecaster by trace: one row each. */
export function forecastTable(records) {
	const rows = new Map();
	for (const { name, samples, environment } of records) {
		const [, trace, forecaster, figure] = NAME.exec(name) ?? [];
		const key = `${trace}, ${forecaster}`;
		const row = rows.get(key) ?? { trace, forecaster, environment, figures: new Map() };
		row.figures.set(figure, samples[0]);
		rows.set(key, row);
	}
	const shown = [...rows.values()].map(({ trace, forecaster, environment, figures }) => [
		`${trace}${trace === environment.fittedOn ? " *" : ""}`,
		forecaster,
		environment.peaks,
		environment.seenBefore,
		...FIGURES.map(([figure, digits]) => figures.get(figure)?.toFixed(digits) ?? ""),
	]);
	const heads = ["peak error", "busy error", "lead, min", "coverage", "… busy", "false alarms/day"];
	return [
		line(["trace", "forecaster", "peaks", "seen before", ...heads]),
		line(["---", "---", ...Array(heads.length + 2).fill("---:")]),
		...shown.map(line),
	].join("\n");
}

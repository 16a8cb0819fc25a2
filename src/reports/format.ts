/** Every number that a report shows is written here, so that the same value reads the same everywhere. */

const COUNT_UNITS = ["", "k", "M", "G", "T", "P"] as const;
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Shown for a value that does not exist, such as the drain time of a run that never drained. */
export const NONE = "–";

/** Digits grouped by thousands: 1,074,065. */
export function formatExact(value: number): string {
	const [whole = "", fraction] = String(value).split(".");
	if (!/^-?\d+$/.test(whole)) {
		return String(value);
	}
	const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
	return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Three significant digits and a unit prefix from 10,000 on: 8,412, 42.7 M, 1.07 M. */
export function formatCount(value: number): string {
	if (!Number.isFinite(value)) {
		return NONE;
	}
	if (Math.abs(value) < 10_000) {
		return formatExact(Number.isInteger(value) ? value : Number(significant(value)));
	}
	const { scaled, step } = scale(value, 1_000, COUNT_UNITS.length - 1);
	return `${significant(scaled)} ${COUNT_UNITS[step]}`;
}

/** A count per second: 2,500/s, 41.2 k/s. */
export function formatRate(value: number): string {
	return `${formatCount(value)}/s`;
}

/** Bytes in binary units: 1.46 GiB. */
export function formatBytes(value: number): string {
	const { scaled, step } = scale(value, 1_024, BYTE_UNITS.length - 1);
	return `${step === 0 ? formatExact(value) : significant(scaled)} ${BYTE_UNITS[step]}`;
}

/** Seconds in the unit that reads best: 230 ms, 42 s, 7.5 min, 20.1 h. */
export function formatSeconds(value: number): string {
	const size = Math.abs(value);
	if (size === 0) {
		return "0 s";
	}
	if (size < 0.000_999_5) {
		return `${significant(value * 1_000_000)} µs`;
	}
	if (size < 0.999_5) {
		return `${significant(value * 1_000)} ms`;
	}
	if (size < 119.5) {
		return `${significant(value)} s`;
	}
	if (size < 7_170) {
		return `${significant(value / 60)} min`;
	}
	return `${formatCount(Number(significant(value / 3_600)))} h`;
}

/** Microseconds in the unit that reads best. */
export function formatMicros(value: number): string {
	return formatSeconds(value / 1_000_000);
}

/** A factor: 1.03x. */
export function formatRatio(value: number): string {
	return value < 1_000 ? `${value < 100 ? value.toFixed(2) : value.toFixed(0)}x` : `${formatCount(value)}x`;
}

/** A share of one: 96.4 %. Never rounds up to 100 % or down to 0 % what is neither. */
export function formatPercent(value: number): string {
	const percent = value * 100;
	if (percent > 0 && percent < 0.05) {
		return "< 0.1 %";
	}
	if (percent < 100 && percent >= 99.95) {
		return "> 99.9 %";
	}
	return `${Number(percent.toFixed(1))} %`;
}

/** A plural that agrees with its number: "1 device", "1.07 M devices". */
export function formatNoun(value: number, singular: string, plural = `${singular}s`): string {
	return `${formatCount(value)} ${value === 1 ? singular : plural}`;
}

/** Items as a sentence lists them: "a, b and c". */
export function formatList(items: readonly string[]): string {
	const last = items.at(-1) ?? "";
	return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}

function significant(value: number): string {
	if (value === 0) {
		return "0";
	}
	const digits = 2 - Math.floor(Math.log10(Math.abs(value)));
	const rounded = value.toFixed(Math.min(Math.max(digits, 0), 6));
	// Rounding may carry into one digit more (9.996 to 10.00): three significant digits again.
	return rounded.replace(/^(-?)(\d+)\.(\d+)$/, (_all, sign: string, whole: string, fraction: string) => {
		const kept = fraction.slice(0, Math.max(whole === "0" ? fraction.length : 3 - whole.length, 0));
		const trimmed = kept.replace(/0+$/, "");
		return `${sign}${whole}${trimmed === "" ? "" : `.${trimmed}`}`;
	});
}

function scale(value: number, base: number, stepMax: number): { scaled: number; step: number } {
	let scaled = value;
	let step = 0;
	// 999.5 would be printed as 1000 of the smaller unit.
	while (Math.abs(scaled) >= base - base / 2_000 && step < stepMax) {
		scaled /= base;
		step++;
	}
	return { scaled, step };
}

/** Numbers below this are seconds since 1970 (this one is the year 5138), from it on milliseconds (1973). */
const FIRST_MILLISECONDS = 1e11;

const ISO =
	/^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * Reads a moment as whole seconds since 1970: seconds, milliseconds or ISO 8601 (without a zone: UTC; fractions of a
 * second are cut off). undefined: it is none of these, or no such day or hour exists.
 */
export function parseMoment(text: string): number | undefined {
	if (/^\d{1,14}(\.\d{1,9})?$/.test(text)) {
		const value = Number(text);
		return Math.floor(value < FIRST_MILLISECONDS ? value : value / 1_000);
	}
	const match = ISO.exec(text);
	if (match === null) {
		return undefined;
	}
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
		.slice(1, 7)
		.map((part) => Number(part ?? 0));
	const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
	const back = new Date(milliseconds);
	// Date.UTC takes 31 February for 3 March: a date that does not come back as written does not exist.
	const exists = back.getUTCMonth() === month - 1 && back.getUTCDate() === day && minute < 60 && second < 60;
	return exists && hour < 24 ? milliseconds / 1_000 - zoneSeconds(match[7]) : undefined;
}

function zoneSeconds(zone: string | undefined): number {
	const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? "") ?? [];
	return (sign === "-" ? -1 : 1) * (Number(hours) * 3_600 + Number(minutes) * 60);
}

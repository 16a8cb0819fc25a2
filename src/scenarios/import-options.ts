import type { UserError } from "../units/user-error.js";
import { FIRMWARE_PROFILE_NAMES, type FirmwareProfileName } from "./firmware-profiles.js";
import { LINK_PROFILE_NAMES, type LinkProfileName } from "./link-profiles.js";
import type { TraceOptions } from "./read-trace.js";
import { SCENARIO_NAME, SCENARIO_NAME_IN_WORDS } from "./scenario-name.js";

/** What `klais import` takes. Everything but the trace has a default. */
export interface ImportOptions extends TraceOptions {
	/** A CSV file with a time and a customers-out column. */
	readonly traceFile: string;
	/** The utility's list of outages, for the sizes of lumps. */
	readonly outagesFile?: string;
	/** Lower-case letters, digits, dots and dashes; by default made of the trace's file name. */
	readonly name?: string;
	readonly title?: string;
	readonly teaches?: string;
	/** Where the trace comes from, its licence, its version: one citation a line. */
	readonly sources?: readonly string[];
	/** Without a list of outages: spread each step's returns over the step, in place of one lump at its end. */
	readonly spread?: boolean;
	readonly firmware?: FirmwareProfileName;
	readonly link?: LinkProfileName;
	/** By default 4. */
	readonly gateways?: number;
	/** Sessions per second of one gateway. By default the fleet in 20 minutes, as far as the CPU goes. */
	readonly sessionsPerSecond?: number;
	/** Readings per second of the broker. By default twice the live load. */
	readonly capacityPerSecond?: number;
}

/** The first option out of range, as a usage error whose key is the flag. */
export function checkImportOptions(options: ImportOptions): UserError | undefined {
	const { name, firmware, link } = options;
	if (name !== undefined && !SCENARIO_NAME.test(name)) {
		return { kind: "usage", key: "--name", message: `expected ${SCENARIO_NAME_IN_WORDS}` };
	}
	if (firmware !== undefined && !FIRMWARE_PROFILE_NAMES.includes(firmware)) {
		return {
			kind: "usage",
			key: "--firmware",
			message: `expected one of ${FIRMWARE_PROFILE_NAMES.join(", ")}`,
		};
	}
	if (link !== undefined && !LINK_PROFILE_NAMES.includes(link)) {
		return { kind: "usage", key: "--link", message: `expected one of ${LINK_PROFILE_NAMES.join(", ")}` };
	}
	const texts = [
		["--title", [options.title], 200],
		["--teaches", [options.teaches], 2_000],
		["--source", options.sources ?? [], 1_000],
	] as const;
	for (const [key, values, max] of texts) {
		if (values.some((value) => value !== undefined && (value.trim() === "" || value.length > max))) {
			return { kind: "usage", key, message: `expected a text of 1 to ${max} characters` };
		}
	}
	const numbers = [
		["--gateways", options.gateways, 1_000],
		["--sessions", options.sessionsPerSecond, 1_000_000_000],
		["--capacity", options.capacityPerSecond, 1_000_000_000],
	] as const;
	const bad = numbers.find(
		([, value, max]) => value !== undefined && !(Number.isSafeInteger(value) && value >= 1 && value <= max),
	);
	return (
		bad && {
			kind: "usage",
			key: bad[0],
			message: `expected a whole number from 1 to ${bad[2]}, found ${bad[1]}`,
		}
	);
}

import { didYouMean } from "../../scenarios/did-you-mean.js";
import { parseDuration } from "../../units/duration.js";
import { parseWhole } from "../../units/quantity.js";
import { err, ok, type Result } from "../../units/result.js";
import { type CutLink, FAULT_KINDS, type FaultKind, type PlannedFault } from "./planned-fault.js";

const SECOND = 1_000_000;
const GATEWAYS_MAX = 64;
const BYTES_MAX = 1_000_000_000;
const EXAMPLE = "kill-gateway@20s or freeze-gateway@20s:gateway=1,for=5s";
const SHAPE = /^([a-z-]+)(?:@([^:]*))?(?::(.*))?$/s;

type Argument = "gateway" | "for" | "by" | "bytes" | "link";

/** What each kind may be told, and how long it lasts unless it is told. */
const KINDS: Readonly<Record<FaultKind, { takes: readonly Argument[]; forMicros: number | null }>> = {
	"kill-gateway": { takes: ["gateway", "for"], forMicros: null },
	"freeze-gateway": { takes: ["gateway", "for"], forMicros: 10 * SECOND },
	"delay-endtxn": { takes: ["gateway", "for", "by"], forMicros: 2 * SECOND },
	"kill-broker": { takes: ["for"], forMicros: 5 * SECOND },
	"stop-broker": { takes: ["for"], forMicros: 5 * SECOND },
	"cut-link": { takes: ["gateway", "for", "link"], forMicros: 10 * SECOND },
	"fill-quota": { takes: ["for", "bytes"], forMicros: 10 * SECOND },
};

/** Longer than a gateway waits for the end of a transaction, so that it has given up when the broker hears of it. */
const DELAY_MICROS = 12 * SECOND;
const BYTES_PER_SECOND = 50_000;

/** Reads `kind@time[:argument=value,…]`. The error says what was expected. */
export function parseFault(text: string): Result<PlannedFault, string> {
	const [, name = "", at, rest] = SHAPE.exec(text.trim()) ?? [];
	const kind = FAULT_KINDS.find((each) => each === name);
	if (kind === undefined) {
		const advice = `${didYouMean(name, FAULT_KINDS)} There are: ${FAULT_KINDS.join(", ")}.`;
		return err(`expected kind@time, such as ${EXAMPLE}; there is no kind ${quoted(name || text)}.${advice}`);
	}
	if (at === undefined || at.trim() === "") {
		return err(`${kind}: expected a time after @, such as ${kind}@20s`);
	}
	const time = parseDuration(at);
	if (!time.ok) {
		return err(`${kind}: ${time.error}`);
	}
	const found = readArguments(kind, rest);
	if (!found.ok) {
		return err(`${kind}: ${found.error}`);
	}
	const { takes, forMicros } = KINDS[kind];
	return ok({
		kind,
		text: text.trim(),
		atMicros: time.value,
		forMicros,
		gateway: takes.includes("gateway") ? 0 : null,
		delayMicros: DELAY_MICROS,
		bytesPerSecond: BYTES_PER_SECOND,
		link: "broker",
		...found.value,
	});
}

type Changes = Partial<
	Pick<PlannedFault, "forMicros" | "gateway" | "delayMicros" | "bytesPerSecond" | "link">
>;

function readArguments(kind: FaultKind, text: string | undefined): Result<Changes, string> {
	const { takes } = KINDS[kind];
	let changes: Changes = {};
	const seen = new Set<string>();
	for (const part of text === undefined ? [] : text.split(",")) {
		const [name = "", ...values] = part.trim().split("=");
		const argument = takes.find((each) => each === name);
		if (argument === undefined || values.length !== 1) {
			const known = takes.map((each) => `${each}=${EXAMPLES[each]}`).join(", ");
			return err(`expected ${known}, found ${quoted(part.trim())}.${didYouMean(name, takes)}`);
		}
		if (seen.has(argument)) {
			return err(`${argument} is there twice`);
		}
		seen.add(argument);
		const read = READERS[argument](values[0] ?? "");
		if (!read.ok) {
			return err(`${argument}: ${read.error}`);
		}
		changes = { ...changes, ...read.value };
	}
	return ok(changes);
}

const EXAMPLES: Readonly<Record<Argument, string>> = {
	gateway: "0",
	for: "10s",
	by: "12s",
	bytes: "50000",
	link: "broker",
};

const READERS: Readonly<Record<Argument, (text: string) => Result<Changes, string>>> = {
	gateway: (text) => within(text, 0, GATEWAYS_MAX - 1, (gateway) => ({ gateway })),
	for: (text) => lasting(text, (forMicros) => ({ forMicros })),
	by: (text) => lasting(text, (delayMicros) => ({ delayMicros })),
	bytes: (text) => within(text, 1, BYTES_MAX, (bytesPerSecond) => ({ bytesPerSecond })),
	link: (text) => {
		const link = (["broker", "fleet"] as const satisfies readonly CutLink[]).find((each) => each === text);
		return link === undefined ? err(`expected broker or fleet, found ${quoted(text)}`) : ok({ link });
	},
};

function within(
	text: string,
	least: number,
	most: number,
	change: (value: number) => Changes,
): Result<Changes, string> {
	const value = parseWhole(text);
	return value.ok && value.value >= least && value.value <= most
		? ok(change(value.value))
		: err(`expected a whole number from ${least} to ${most}, found ${quoted(text)}`);
}

function lasting(text: string, change: (value: number) => Changes): Result<Changes, string> {
	const value = parseDuration(text);
	if (!value.ok) {
		return value;
	}
	return value.value > 0 ? ok(change(value.value)) : err("expected more than 0");
}

function quoted(text: string): string {
	return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

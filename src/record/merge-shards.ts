import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { joinHosts } from "./join-hosts.js";
import type { ResultsFile, RunRecord } from "./run-record.js";
import type { PlannedRun, ShardSection } from "./shard.js";

/** A record and where it was read. */
export interface ReadRecord {
	readonly file: string;
	readonly results: ResultsFile;
}

interface Shard extends ReadRecord {
	readonly section: ShardSection;
}

/** Mistakes named at once; further ones add nothing. */
const NAMED_MAX = 10;

/**
 * Joins the records of all shards of one command into the record of the whole. Its bytes are those of the record that the
 * command writes without shards, but for the machine (`host`) and its clock (each run's `wall`). Errors, each naming its
 * file: no shard, another version, seed, configuration or division, a shard that is there twice, is missing or not complete.
 */
export function mergeShards(records: readonly ReadRecord[]): Result<ResultsFile, readonly UserError[]> {
	const shards = records.flatMap((record) => sectioned(record) ?? []);
	const [first] = shards;
	if (first === undefined || shards.length < records.length) {
		return err(records.filter((record) => sectioned(record) === undefined).map(noShard));
	}
	const errors = shards.slice(1).flatMap((shard) => difference(first, shard) ?? []);
	if (errors.length === 0) {
		errors.push(...divisionErrors(shards), ...shards.flatMap(incompleteness));
	}
	return errors.length > 0 ? err(errors.slice(0, NAMED_MAX)) : ok(whole(shards, first));
}

function whole(shards: readonly Shard[], first: Shard): ResultsFile {
	const inOrder = [...shards].sort((a, b) => a.section.index - b.section.index);
	const waiting = new Map(inOrder.map(({ section, results }) => [section.index, results.runs.values()]));
	const runs = first.section.plan.map(({ shard }) => waiting.get(shard)?.next().value as RunRecord);
	const { shard: _shard, ...rest } = first.results;
	const host = joinHosts(inOrder.map(({ results }) => results.host));
	return { ...rest, host, command: first.section.command, runs };
}

function sectioned(record: ReadRecord): Shard | undefined {
	const section = record.results.shard;
	return section === undefined ? undefined : { ...record, section };
}

function noShard({ file }: ReadRecord): UserError {
	const message = "is no shard's record: `klais run … --shard 1/3` writes one";
	return { kind: "schema", file, key: "shard", message };
}

/** What tells two shards' wholes apart, the first thing that does; undefined when they are of one whole. */
function difference(one: Shard, other: Shard): UserError | undefined {
	const [a, b] = [one.section, other.section];
	const differs = (key: string, what: string, found: unknown, expected: unknown): UserError => ({
		kind: "usage",
		file: other.file,
		key,
		message: `does not belong to ${one.file}: ${what} ${found}, there ${expected}`,
	});
	for (const key of ["version", "commit", "dirty"] as const) {
		const [expected, found] = [one.results.tool[key], other.results.tool[key]];
		if (expected !== found) {
			const what = key === "dirty" ? "uncommitted changes" : `klais ${key}`;
			return differs(`tool.${key}`, what, found, expected);
		}
	}
	if (a.count !== b.count) {
		return differs("shard.count", "shards", b.count, a.count);
	}
	if (a.command !== b.command) {
		return differs("shard.command", "the whole is", b.command, a.command);
	}
	if (JSON.stringify(one.results.sweep) !== JSON.stringify(other.results.sweep)) {
		return differs("sweep", "its sweep file", "is another", "it is not");
	}
	return planDifference(a.plan, b.plan, differs);
}

function planDifference(
	expected: readonly PlannedRun[],
	found: readonly PlannedRun[],
	differs: (key: string, what: string, found: unknown, expected: unknown) => UserError,
): UserError | undefined {
	if (expected.length !== found.length) {
		return differs("shard.plan", "runs", found.length, expected.length);
	}
	for (const [index, planned] of expected.entries()) {
		const other = found[index] as PlannedRun;
		const name = nameOf(other);
		const at = `shard.plan[${index}]`;
		if (name !== nameOf(planned)) {
			return differs(at, `run ${index + 1} is`, name, nameOf(planned));
		}
		if (planned.identity !== other.identity) {
			return differs(at, `${name} has the configuration`, other.identity, planned.identity);
		}
		if (planned.shard !== other.shard) {
			const why = "were their --durations the same file?";
			const error = differs(at, `${name} is left to shard`, other.shard, planned.shard);
			return { ...error, message: `${error.message}: ${why}` };
		}
	}
	return undefined;
}

function divisionErrors(shards: readonly Shard[]): UserError[] {
	const [{ section, file: firstFile }] = shards as [Shard];
	const byIndex = new Map<number, string>();
	const errors: UserError[] = [];
	for (const { file, section: own } of shards) {
		const earlier = byIndex.get(own.index);
		if (earlier !== undefined) {
			const message = `is shard ${own.index}/${own.count}, as is ${earlier}: name one of them`;
			errors.push({ kind: "usage", file, key: "shard.index", message });
		}
		byIndex.set(own.index, file);
	}
	const all = Array.from({ length: section.count }, (_, index) => index + 1);
	const missing = all.filter((index) => !byIndex.has(index));
	if (missing.length > 0) {
		const names = missing.map((index) => `${index}/${section.count}`).join(", ");
		const message = `of ${section.count} shards ${missing.length === 1 ? "one is" : `${missing.length} are`} missing: ${names}`;
		errors.push({ kind: "not-found", file: firstFile, message });
	}
	return errors;
}

/** Runs that the plan has and the shard's record lacks, or the other way round. */
function incompleteness({ file, section, results }: Shard): UserError[] {
	const planned = section.plan.filter(({ shard }) => shard === section.index);
	const wrong = planned.findIndex((each, index) => {
		const run = results.runs[index];
		return run === undefined || nameOf(run) !== nameOf(each) || run.input !== each.identity;
	});
	const missing = planned[wrong];
	const again = `run this shard again: ${results.command}`;
	if (missing !== undefined) {
		const message = `has no record of ${nameOf(missing)}: ${again}`;
		return [{ kind: "schema", file, key: `runs[${wrong}]`, message }];
	}
	if (results.runs.length > planned.length) {
		const message = `has ${results.runs.length} runs, of which its plan knows ${planned.length}`;
		return [{ kind: "schema", file, key: "runs", message }];
	}
	const stopped = results.runs.find(({ complete }) => !complete);
	if (results.partial || stopped !== undefined) {
		const which = stopped === undefined ? "" : ` (${nameOf(stopped)})`;
		return [
			{ kind: "schema", file, key: "partial", message: `was stopped before its end${which}: ${again}` },
		];
	}
	return [];
}

function nameOf(run: Pick<RunRecord, "scenario" | "policy" | "seed" | "devices">): string {
	return `${run.scenario} / ${run.policy}, seed ${run.seed}, ${run.devices.toLocaleString("en-US")} devices`;
}

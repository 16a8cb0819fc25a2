import { drainState } from "./drain-state.js";
import { judgeExpectations } from "./expectations.js";
import type { LiveRecord } from "./live-record.js";
import type { LedgerTotals, ResultsFile, RunRecord } from "./run-record.js";

export { drainState } from "./drain-state.js";

/** `failure` fails the run; `warning` and `note` are for the reader to act on. */
export type Severity = "failure" | "warning" | "note";

type FindingCode =
	| "nothing-measured"
	| "ledger-imbalance"
	| "acked-lost"
	| "duplicates"
	| "digest-mismatch"
	| "not-drained"
	| "faster-than-bound"
	| "device-loss"
	| "reordered"
	| "never-connected"
	| "incomplete"
	| "expectation"
	| "live-broken"
	| "live-target";

export interface Finding {
	readonly severity: Severity;
	readonly code: FindingCode;
	readonly message: string;
}

export interface Verdict {
	readonly passed: boolean;
	readonly findings: readonly Finding[];
}

/** The policy that promises "nothing lost, nothing twice"; the others are there to be compared with it. */
const PROMISING_POLICY = "klais";

/** A drain this much below the bound is no rounding: the bound or the drain is measured wrongly. */
const BOUND_TOLERANCE = 0.999;

/** Readings that the totals do not account for; 0 when `produced = durable + buffered + lost by the device`. */
export function unaccountedReadings(ledger: LedgerTotals): number {
	const known = ledger.durable + ledger.buffered + ledger.lostOverflow + ledger.lostVolatile;
	return ledger.produced - known;
}

/** Readings that the devices themselves could not keep. Reported, never a failure of the ingest. */
export function deviceLosses(ledger: LedgerTotals): number {
	return ledger.lostOverflow + ledger.lostVolatile;
}

/**
 * Judges one run by the promises that hold on any scenario, and by what its own scenario expects. A peer policy that duplicates or never drains
 * is what the scenario is there to show: a finding, not a failure. What breaks the accounting itself, or an
 * acknowledgement that was a lie, fails under every policy.
 */
export function verdictOf(run: RunRecord): Verdict {
	const findings = [
		...integrityFindings(run),
		...expectationFindings(run),
		...drainFindings(run),
		...deviceFindings(run),
	];
	return { passed: findings.every((finding) => finding.severity !== "failure"), findings };
}

function integrityFindings(run: RunRecord): Finding[] {
	const { ledger } = run;
	const findings: Finding[] = [];
	if (ledger.produced === 0) {
		// A run that measured nothing must never pass as clean.
		findings.push(failure("nothing-measured", "no device produced a reading: the run proves nothing"));
	}
	const missing = unaccountedReadings(ledger);
	if (ledger.imbalance !== null) {
		findings.push(failure("ledger-imbalance", `the ledger does not balance: ${ledger.imbalance}`));
	} else if (missing !== 0) {
		const words =
			missing > 0
				? `${digits(missing)} readings are unaccounted for`
				: `${digits(-missing)} readings too many`;
		findings.push(failure("ledger-imbalance", `the ledger does not balance: ${words}`));
	}
	if (ledger.ackedLost > 0) {
		const message = `${digits(ledger.ackedLost)} readings were acknowledged and then lost`;
		findings.push(failure("acked-lost", message));
	}
	if (ledger.duplicates > 0) {
		const severity = run.policy === PROMISING_POLICY ? "failure" : "warning";
		const message = `${digits(ledger.duplicates)} readings were stored twice`;
		findings.push({ severity, code: "duplicates", message });
	}
	if (ledger.reordered > 0) {
		const message = `${digits(ledger.reordered)} readings became durable out of their lane's order`;
		findings.push({ severity: "warning", code: "reordered", message });
	}
	return findings;
}

function expectationFindings(run: RunRecord): Finding[] {
	return judgeExpectations(run)
		.filter(({ holds }) => !holds)
		.map(({ text, found }) => failure("expectation", `expected ${text}, found ${found}`));
}

function drainFindings(run: RunRecord): Finding[] {
	const { virtual } = run;
	const findings: Finding[] = [];
	if (!run.complete) {
		const message = "the run was stopped before its end: its figures cover what ran";
		findings.push({ severity: "warning", code: "incomplete", message });
	}
	if (drainState(run) === "never") {
		const message = `never drained: ${digits(virtual.undrainedReadings)} readings of backlog left at the end`;
		findings.push({ severity: "warning", code: "not-drained", message });
	}
	if (virtual.drainRatio !== null && virtual.drainBoundSeconds > 0 && virtual.drainRatio < BOUND_TOLERANCE) {
		const message = `drained faster than physically possible (${virtual.drainRatio} of the bound): distrust this run`;
		findings.push({ severity: "warning", code: "faster-than-bound", message });
	}
	return findings;
}

function deviceFindings(run: RunRecord): Finding[] {
	const { ledger, virtual } = run;
	const findings: Finding[] = [];
	if (deviceLosses(ledger) > 0) {
		const message =
			`the devices themselves lost ${digits(deviceLosses(ledger))} readings ` +
			`(${digits(ledger.lostOverflow)} to full buffers, ${digits(ledger.lostVolatile)} to power loss)`;
		findings.push({ severity: "note", code: "device-loss", message });
	}
	if (virtual.devicesConnected.neverConnected > 0) {
		const message = `${digits(virtual.devicesConnected.neverConnected)} devices never connected`;
		findings.push({ severity: "warning", code: "never-connected", message });
	}
	return findings;
}

/**
 * Judges a live run: a promise that did not hold fails it, a target that was missed on a noisy machine is a warning. A
 * run that checked nothing must never pass as clean.
 */
function verdictOfLive(live: LiveRecord): Verdict {
	const findings: Finding[] = live.assertions
		.filter(({ holds }) => !holds)
		.map(({ name, message }) => failure("live-broken", `${name}: ${message}`));
	if (live.complete && live.assertions.length === 0) {
		findings.push(failure("nothing-measured", "the live run checked nothing: it proves nothing"));
	}
	if (!live.complete) {
		const message = "the live run was stopped before its end: its figures cover what ran";
		findings.push({ severity: "warning", code: "incomplete", message });
	}
	for (const { name, verdict, note } of live.figures) {
		if (verdict === "missed") {
			const message = `${name} missed its target${note === undefined ? "" : ` (${note})`}`;
			findings.push({ severity: "warning", code: "live-target", message });
		}
	}
	return { passed: findings.every(({ severity }) => severity !== "failure"), findings };
}

/** Digits grouped by thousands, the same under every locale. */
function digits(value: number): string {
	return value.toLocaleString("en-US");
}

function failure(code: FindingCode, message: string): Finding {
	return { severity: "failure", code, message };
}

/** A run with its verdict, in the file's order. */
export interface JudgedRun {
	readonly run: RunRecord;
	readonly verdict: Verdict;
}

/** A live run with its verdict, in the file's order. */
export interface JudgedLive {
	readonly live: LiveRecord;
	readonly verdict: Verdict;
}

export interface FileVerdict {
	readonly passed: boolean;
	readonly runs: readonly JudgedRun[];
	readonly live: readonly JudgedLive[];
}

/**
 * Judges a whole file: each run, simulated or live, by itself, and simulated runs of the same scenario, policy, seed and
 * configuration against each other, because the same input must give the same digest whatever the machine or the workers.
 */
export function verdictOfResults(results: ResultsFile): FileVerdict {
	const firstDigests = new Map<string, string>();
	const runs = results.runs.map((run): JudgedRun => {
		const verdict = verdictOf(run);
		// A run that was stopped has a shorter trace, and so another digest.
		if (!run.complete) {
			return { run, verdict };
		}
		const identity = JSON.stringify([
			...[run.scenario, run.policy, run.seed, run.devices],
			// Two outages may have as many cohorts, and then the same configuration.
			...[run.config, run.input],
		]);
		const first = firstDigests.get(identity);
		firstDigests.set(identity, first ?? run.digest);
		if (first === undefined || first === run.digest) {
			return { run, verdict };
		}
		const message = `same scenario, policy and seed, but digest ${run.digest} differs from ${first}`;
		const findings = [failure("digest-mismatch", message), ...verdict.findings];
		return { run, verdict: { passed: false, findings } };
	});
	const live = results.live.map((record): JudgedLive => ({ live: record, verdict: verdictOfLive(record) }));
	return { passed: [...runs, ...live].every(({ verdict }) => verdict.passed), runs, live };
}

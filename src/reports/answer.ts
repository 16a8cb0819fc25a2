import type { RunRecord } from "../record/run-record.js";
import { deviceLosses, drainState, unaccountedReadings } from "../record/verdict.js";
import { configFacts, liveRate } from "./config-facts.js";
import {
	formatCount,
	formatList,
	formatNoun,
	formatPercent,
	formatRate,
	formatRatio,
	formatSeconds,
	NONE,
} from "./format.js";
import type { LabelledRun, ScenarioGroup } from "./grouping.js";
import { code } from "./markup.js";
import { showLatency } from "./metrics.js";

/**
 * The three lines that a report leads with, and the third one's steps apart. Backticks mark names; each renderer
 * escapes and sets them its way.
 */
export interface Answer {
	readonly outcome: string;
	readonly comparison: string;
	readonly advice: string;
	readonly steps: readonly string[];
}

/** Backlogs, by the largest value that the series saw: the record has no total. */
function peakBacklog(run: RunRecord): number {
	return run.series.backlogReadings.reduce((peak, value) => Math.max(peak, value), 0);
}

/** What to do, in three lines, for one scenario. */
export function answerOf(group: ScenarioGroup): Answer {
	const subject = subjectOf(group.runs);
	if (subject === undefined) {
		return {
			outcome: "Nothing ran.",
			comparison: "There is nothing to compare.",
			advice: "Do: name a scenario; `klais list` shows the catalogue.",
			steps: ["name a scenario; `klais list` shows the catalogue"],
		};
	}
	const steps = stepsOf(subject, group.runs);
	return {
		outcome: outcomeOf(subject, group.runs),
		comparison: comparisonOf(subject, group.runs),
		advice: `Do: ${steps.join("; ")}.`,
		steps,
	};
}

/** The run that the answer is about: `klais` where it ran, else the best; of several seeds the worst. */
function subjectOf(runs: readonly LabelledRun[]): LabelledRun | undefined {
	const worstFirst = [...runs].sort((a, b) => slowness(b.run) - slowness(a.run));
	return worstFirst.find((entry) => entry.run.policy === "klais") ?? worstFirst.at(-1);
}

function slowness(run: RunRecord): number {
	return run.virtual.drainRatio ?? (drainState(run) === "nothing" ? 0 : Number.POSITIVE_INFINITY);
}

function outcomeOf(subject: LabelledRun, runs: readonly LabelledRun[]): string {
	const { run } = subject;
	const siblings = runs.filter((entry) => entry.run.policy === run.policy).length;
	const who = `${code(run.policy)}${siblings > 1 ? ` (the worst of ${siblings} runs)` : ""}`;
	const stopped = run.complete ? "" : " Stopped before its end: this covers what ran.";
	return `${who} ${drainWords(run)}; ${integrityWords(run)}.${stopped}`;
}

function drainWords(run: RunRecord): string {
	const { drainSeconds, drainRatio, undrainedReadings } = run.virtual;
	const left = `${formatNoun(undrainedReadings, "reading")} of backlog left at the end`;
	switch (drainState(run)) {
		case "drained": {
			const peak = peakBacklog(run);
			const backlog = peak > 0 ? `a backlog that peaked at ${formatCount(peak)} readings` : "the backlog";
			const time = formatSeconds(drainSeconds ?? 0);
			return `drained ${backlog} in ${time}, ${formatRatio(drainRatio ?? 0)} the physical bound`;
		}
		case "never":
			return `NEVER DRAINED: ${left}`;
		case "stopped":
			return `had not drained when it was stopped: ${left}`;
		case "nothing":
			return "had no backlog to drain";
	}
}

function integrityWords(run: RunRecord): string {
	const { ledger } = run;
	const unaccounted = unaccountedReadings(ledger);
	if (unaccounted !== 0 || ledger.imbalance !== null) {
		return "the ledger DOES NOT BALANCE, so none of this can be trusted";
	}
	const own = deviceLosses(ledger);
	const lost =
		ledger.ackedLost > 0
			? `${formatNoun(ledger.ackedLost, "reading")} acknowledged and LOST`
			: own > 0
				? `${formatNoun(own, "reading")} lost by the devices themselves (${lossCauses(run)}), none on the way`
				: "nothing lost";
	const twice =
		ledger.duplicates > 0 ? `${formatNoun(ledger.duplicates, "reading")} stored TWICE` : "nothing twice";
	return `${lost}, ${twice}`;
}

function lossCauses(run: RunRecord): string {
	const causes: string[] = [];
	if (run.ledger.lostOverflow > 0) {
		causes.push("full buffers");
	}
	if (run.ledger.lostVolatile > 0) {
		causes.push("RAM at power loss");
	}
	return formatList(causes);
}

function comparisonOf(subject: LabelledRun, runs: readonly LabelledRun[]): string {
	const others = new Map<string, RunRecord>();
	for (const { run } of runs) {
		const known = others.get(run.policy);
		if (run.policy !== subject.run.policy && (known === undefined || slowness(run) > slowness(known))) {
			others.set(run.policy, run);
		}
	}
	if (others.size === 0) {
		return "No other policy ran: compare with `--policy none,static,klais`.";
	}
	return `${[...others.values()].map(peerWords).join(". ")}.`;
}

function peerWords(run: RunRecord): string {
	const { virtual, ledger } = run;
	const parts = [peerDrainWords(run)];
	if (ledger.duplicates > 0) {
		parts.push(`stored ${formatNoun(ledger.duplicates, "duplicate")}`);
	}
	const before = showLatency(virtual.liveLatencyBeforeMicros, "p99");
	const recovery = showLatency(virtual.liveLatencyRecoveryMicros, "p99");
	if (recovery !== NONE) {
		parts.push(
			before === NONE ? `had a live p99 of ${recovery}` : `took live p99 from ${before} to ${recovery}`,
		);
	}
	const attempts = virtual.devicesConnected.count === 0 ? "" : `, at ${attemptsWords(run)} per connect`;
	return `${code(run.policy)} ${formatList(parts)}${attempts}`;
}

function peerDrainWords(run: RunRecord): string {
	const { drainSeconds, drainRatio, undrainedReadings } = run.virtual;
	switch (drainState(run)) {
		case "drained":
			return `took ${formatSeconds(drainSeconds ?? 0)} (${formatRatio(drainRatio ?? 0)} the bound)`;
		case "never":
			return `never drained (${formatNoun(undrainedReadings, "reading")} left)`;
		case "stopped":
			return `had not drained when it was stopped (${formatNoun(undrainedReadings, "reading")} left)`;
		case "nothing":
			return "had no backlog to drain";
	}
}

function attemptsOf(run: RunRecord): number {
	return Number(run.virtual.attemptsPerConnect.toPrecision(2));
}

function attemptsWords(run: RunRecord): string {
	return formatNoun(attemptsOf(run), "attempt");
}

function stepsOf(subject: LabelledRun, runs: readonly LabelledRun[]): readonly string[] {
	const steps = [sessionAdvice(subject.run), headroomAdvice(subject.run), bufferAdvice(subject.run)];
	const none = runs.find((entry) => entry.run.policy === "none");
	steps.push(backoffAdvice(subject.run, none?.run));
	const known = steps.filter((step): step is string => step !== undefined);
	if (known.length === 0) {
		return [`keep ${code(subject.run.policy)} (this record holds no configuration to derive limits from)`];
	}
	return known;
}

function sessionAdvice(run: RunRecord): string | undefined {
	const { gateways, sessionsPerGatewayPerSecond } = configFacts(run);
	if (gateways === undefined || sessionsPerGatewayPerSecond === undefined || run.policy === "none") {
		return undefined;
	}
	const { devicesConnected, devicesConnectedBound } = run.virtual;
	const [p95, ideal] = [devicesConnected.p95Seconds, devicesConnectedBound.p95Seconds].map(formatSeconds);
	const reached = devicesConnected.count === 0 ? "" : ` (95 % are back in ${p95}, ideal ${ideal})`;
	const rate = formatCount(sessionsPerGatewayPerSecond);
	return `admit ${rate} sessions/s on each of ${formatNoun(gateways, "gateway")}${reached}`;
}

function headroomAdvice(run: RunRecord): string | undefined {
	const live = liveRate(run);
	const capacity = run.virtual.capacityPerSecond;
	if (live === undefined || capacity <= 0) {
		return undefined;
	}
	if (live >= capacity) {
		return `add broker capacity: live readings alone (${formatRate(live)}) fill ${formatRate(capacity)}, so no backlog can drain`;
	}
	const spare = capacity - live;
	return `keep ${formatRate(spare)} of the broker's ${formatRate(capacity)} free of live load: that is the rate at which backlogs drain`;
}

function bufferAdvice(run: RunRecord): string | undefined {
	const { bufferReadings, bufferKind, readingIntervalSeconds } = configFacts(run);
	if (bufferReadings === undefined || readingIntervalSeconds === undefined) {
		return undefined;
	}
	const holds = `${formatNoun(bufferReadings, "reading")} (${formatSeconds(bufferReadings * readingIntervalSeconds)})`;
	const { lostOverflow, lostVolatile, produced } = run.ledger;
	if (lostVolatile > 0 && bufferKind === "volatile") {
		return `buffer in flash: RAM cost ${formatCount(lostVolatile)} readings at power loss`;
	}
	if (lostOverflow > 0) {
		return `enlarge the device buffer beyond ${holds}: ${formatPercent(lostOverflow / Math.max(produced, 1))} of all readings overflowed it`;
	}
	return `a device buffer of ${holds} is enough here`;
}

function backoffAdvice(run: RunRecord, none: RunRecord | undefined): string | undefined {
	const { backoffKind, backoffBaseSeconds, backoffCapSeconds } = configFacts(run);
	if (backoffKind === undefined || run.virtual.devicesConnected.count === 0) {
		return undefined;
	}
	const range =
		backoffKind === "none" || backoffBaseSeconds === undefined || backoffCapSeconds === undefined
			? ""
			: ` (${formatSeconds(backoffBaseSeconds)} to ${formatSeconds(backoffCapSeconds)})`;
	const firmware = `firmware backoff ${code(backoffKind)}${range}`;
	const costs = `${firmware} costs ${attemptsWords(run)} per connect under ${code(run.policy)}`;
	if (none === undefined || none === run || none.virtual.devicesConnected.count === 0) {
		return costs;
	}
	if (drainState(none) === "never" && drainState(run) === "drained") {
		const against = `${attemptsWords(none)} per connect against ${attemptsOf(run)}`;
		return `do not count on ${firmware}: with it alone, ${code("none")} never drained, at ${against}`;
	}
	const without = `, ${attemptsOf(none)} under ${code("none")}`;
	return `${costs}${without}`;
}

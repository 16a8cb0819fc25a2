// What docs/scenarios.md says of expectations, margins, inheritance and suites.
import { table } from "./tables.mjs";

export const EXTENDING = `\`extends\` starts from another scenario, by catalogue name or by file, and names what it changes:

\`\`\`yaml
schema: klais.scenario/1
extends: gateway-restart # or ../base.yaml, relative to this file
devices: { link: { loss: 2% } }
outages:
  - { kind: gateway, at: 30m, until: 40m, gateways: 2 }
\`\`\`

Maps are merged key by key, however deep; a list or a text replaces what was there. \`link: lte-m\` counts as \`link: { profile: lte-m }\` when a
map follows it, and so for \`firmware\` and \`backoff\`. A child has its own \`name\`, or its file's. Cohort files are looked for beside the
file that names them. What comes out is the same as if it had been written out. \`--set\` comes on top. Circles are refused.`;

export const EXPECTING = `Some things hold on any scenario: nothing acknowledged is lost, \`klais\` stores nothing twice, the ledger balances. \`expect\` says what else must hold at
the end of *this* one. What does not fails the run: exit code 1, with what was found, in every report.

\`\`\`yaml
schema: klais.scenario/1
extends: smoke
expect:
  - ackedLost == 0 # under every policy
  - utilisation >= 50%
  - klais: drainRatio <= 1.2 # under that policy alone
  - klais:
      - devicesConnected.p95Seconds <= 1.5 * devicesConnectedBound.p95Seconds
      - liveLatencyRecoveryMicros.p99 < 10s
margins:
  drainRatio: 1%
  virtual.drops.*: 50
  digest: any
\`\`\`

An expectation is a metric, one of \`<=\` \`<\` \`>=\` \`>\` \`==\` \`!=\`, and a value or a multiple of another metric of the same unit. Metrics are the figures of
\`virtual\` and \`ledger\` in the run record; the section may be left out. A time may have a unit (\`10s\`, \`250ms\`), a ratio may be in percent. A figure
that stands on no measurement, such as a drain that never ended or a quantile of nothing, meets no expectation. A run that was stopped is not judged,
and of a live run it is the prediction that is.
\`--set expect=[]\` expects nothing.

\`margins\` are for [the gate](gate.md), which without them takes every change for a failure: a share, an amount, or \`any\`.`;

export const SUITES = `A suite is a list of scenarios, each with what it changes. \`klais run NAME\` takes suites as it takes scenarios; where both have a name, it means the
scenario, and \`suite:NAME\` the suite. \`--devices\`, \`--seed\`, \`--policy\` and \`--set\` come on top of what the suite says. \`klais schema --suite\` is its JSON Schema.

\`\`\`yaml
schema: klais.suite/1
title: What we run before a release
scenarios:
  - smoke
  - my-fleet.yaml # relative to this file
  - { scenario: gateway-restart, devices: 20_000, policies: [klais] }
  - scenario: gateway-restart
    name: gateway-restart-slow # a scenario that is there twice needs a name
    devices: 20_000
    set: { broker.capacity: 400/s }
\`\`\``;

const UNITS = {
	seconds: "seconds",
	micros: "microseconds",
	"per-second": "per second",
	share: "ratio",
	number: "number",
	count: "count",
};

/** Figures that no table of a report has, or that have other words here. */
const OWN_WORDS = {
	"virtual.drops": "Frames dropped: all together, or one reason (as in the tables of reports).",
	"virtual.devicesConnectedBound.p50Seconds":
		"The same for an ideal first-come first-served queue of sessions.",
	"virtual.devicesConnected.p50Seconds": "From back on power and network until the session is open.",
	"virtual.liveLatencyMicros.p50": "From a live report's due time until it is durable, whole run.",
	"virtual.liveLatencyBeforeMicros.p50": "The same, before the outage.",
	"virtual.liveLatencyRecoveryMicros.p50": "The same, while devices come back and backlogs drain.",
	"virtual.backfillAgeSeconds.p50": "How old a buffered reading was when it became durable.",
	"virtual.work.events": "Exact work counters.",
	"ledger.produced": "Readings that the sensors took.",
	"ledger.durable": "In Kafka, each counted once.",
	"ledger.buffered": "Still safe in a device's buffer at the end.",
	"ledger.lostOverflow": "Lost by the device: its buffer was full.",
	"ledger.lostVolatile": "Lost by the device: its buffer was RAM, and power went.",
	"ledger.reordered": "Durable out of their lane's order.",
	"virtual.swarm.gateways":
		"The gateways' swarm, where they are one: what they found out, whom they blocked (hostile devices and addresses, and those that all gateways blocked), devices of the fleet blocked wrongly, blocks that ended, what liars said, who was taken for up or down, datagrams that did not arrive. All gateways together.",
	"virtual.swarm.firstBlockSeconds":
		"When the first hostile one was blocked; from the first gateway that blocks one to the last.",
	"virtual.swarm.spreadMaxRounds":
		"The longest of those in rounds of 20 ms, three times log2 of the gateways beside it; wrong blocks over the hours that all devices lived through; what gossip costs.",
	"virtual.attack.devices":
		"Attacks: devices with keys beside the fleet, their frames and those of forgers that reached a gateway, HELLOs admitted, readings stored.",
	"virtual.takeovers.firstCommitSeconds":
		"From a gateway's fault until a new owner has committed, in the first and in the last of its shards: the worst of all faults.",
	"virtual.takeovers.delayP99Seconds":
		"Due to durable of the readings that waited for a new owner, 99th percentile: the worst of all faults.",
	"virtual.takeovers.readingsDelayed": "How many readings those were: the most of all faults.",
};

/** Metrics whose values have one unit and one meaning share a row; `known`: those that reports explain. */
export function metricsTable(metrics, known) {
	const means = new Map(known.map(({ id, means }) => [id, means]));
	const rows = [];
	let last;
	for (const [path, unit] of metrics) {
		const [section, group, field] = path.split(".");
		const words = OWN_WORDS[path] ?? means.get(path);
		const key = `${section}.${group}.${unit}`;
		if (group === "drops" && field !== undefined) {
			continue;
		}
		const name = `\`${path.slice(section.length + 1)}\``;
		if (field !== undefined && last?.key === key && OWN_WORDS[path] === undefined) {
			last.names.push(`\`.${field}\``);
			continue;
		}
		last = { key, names: [name], unit, words: words ?? fail(path) };
		rows.push(last);
	}
	return table(
		["metric", "unit", "what it is"],
		rows.map(({ names, unit, words }) => [
			names[0] === "`drops`" ? "`drops`, `drops.REASON`" : names.join(", "),
			UNITS[unit],
			words,
		]),
	);
}

function fail(path) {
	throw new Error(`scripts/docs/checks.mjs: no words for the metric ${path}`);
}

// Writes docs/scenarios.md out of the scenario schema, the profiles and the catalogue: `node scripts/docs.mjs`.
// With --check it writes nothing, and fails if the file is not what it would write. Needs a build (`npm run setup`).
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { EXPECTING, EXTENDING, metricsTable, SUITES } from "./docs/checks.mjs";
import { RULES } from "./docs/rules.mjs";
import { keysTable, mapOf, outageKeys, profilesTable, table } from "./docs/tables.mjs";
import { at } from "./setup/paths.mjs";

const TARGET = at("docs", "scenarios.md");
const load = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);

const [schema, { ATTACK_KINDS, MEANINGS, OUTAGE_KINDS }, { EXPECTED_METRICS }, { METRICS }, lists] =
	await Promise.all([
		load("scenarios/schema.js"),
		load("scenarios/meanings.js"),
		load("scenarios/metric-names.js"),
		load("reports/metrics.js"),
		load("scenarios/list-catalogue.js"),
	]);
const [firmware, links, loader, duration, limits] = await Promise.all([
	load("scenarios/firmware-profiles.js"),
	load("scenarios/link-profiles.js"),
	load("scenarios/load-scenario.js"),
	load("units/duration.js"),
	load("scenarios/limits.js"),
]);

const grouped = (value) => value.toLocaleString("en-US");

/** A field of a resolved profile under the key and in the unit of a scenario file. */
function field(name, value) {
	if (name === "backoff") {
		const { kind, baseMicros, capMicros } = value;
		const text = `${kind}, ${duration.formatDuration(baseMicros)} to ${duration.formatDuration(capMicros)}`;
		return { key: name, text };
	}
	if (name.endsWith("Micros")) {
		return { key: name.slice(0, -"Micros".length), text: duration.formatDuration(value) };
	}
	if (name.endsWith("Ppm")) {
		return { key: name.slice(0, -"Ppm".length), text: `${grouped(value)}ppm` };
	}
	if (name === "uplinkBitsPerSecond") {
		return { key: "uplink", text: `${grouped(value / 1_000)} kbit/s` };
	}
	return { key: name, text: typeof value === "number" ? grouped(value) : String(value) };
}

/** What gateways and broker are when a scenario says nothing, under the keys of a scenario file. */
function serverDefaults() {
	const text = "schema: klais.scenario/1\nduration: 1h\ndevices: { count: 1 }";
	const { gateways, broker } = loader.parseScenario(text, { file: "minimal.yaml", folder: "." }).value;
	const byKey = (fields) =>
		Object.fromEntries(
			Object.entries(fields).map(([name, value]) => {
				const { key, text: shown } = field(name, value);
				return [key, shown];
			}),
		);
	return { gateways: byKey(gateways), broker: byKey(broker) };
}

function keySections() {
	const root = z.toJSONSchema(schema.scenarioSchema, { io: "input" }).properties;
	const devices = root.devices.properties;
	const defaults = serverDefaults();
	const section = (title, name, properties) => [
		`### ${title}`,
		keysTable(name, MEANINGS[name], properties, defaults[name]),
	];
	return [
		...section("Top level", "scenario", root),
		...section("`devices`", "devices", devices),
		...section("`devices.firmware`", "firmware", mapOf(devices.firmware)),
		...section("`devices.firmware.backoff`", "backoff", mapOf(mapOf(devices.firmware).backoff)),
		...section("`devices.link`", "link", mapOf(devices.link)),
		...section("`devices.clocks`", "clocks", devices.clocks.properties),
		...section("`gateways`", "gateways", mapOf(root.gateways)),
		...section("`gateways.swarm`", "swarm", mapOf(mapOf(root.gateways).swarm)),
		...section("`broker`", "broker", mapOf(root.broker)),
		...section("`outages`, each", "outages", outageKeys(root.outages)),
		kindsTable("outage", outageKeys(root.outages).kind.enum, OUTAGE_KINDS),
		...section("`attacks`, each", "attacks", outageKeys(root.attacks)),
		kindsTable("attack", outageKeys(root.attacks).kind.enum, ATTACK_KINDS),
	];
}

function kindsTable(what, kinds, words) {
	const unexplained = kinds.filter((kind) => !Object.hasOwn(words, kind));
	if (unexplained.length > 0) {
		throw new Error(`src/scenarios/meanings.ts: no words for the ${what} ${unexplained}`);
	}
	return table(
		["kind", "what happens"],
		kinds.map((kind) => [`\`${kind}\``, words[kind]]),
	);
}

function catalogue() {
	return lists.listCatalogue().flatMap(({ name }) => {
		const { value: scenario } = loader.loadScenario(name);
		const { title, teaches, sources, durationMicros, devices, gateways, broker, policies } = scenario;
		const live = Math.round((devices.count * 1_000_000) / devices.firmware.readingIntervalMicros);
		const facts = [
			["devices", grouped(devices.count)],
			["virtual time", duration.formatDuration(durationMicros)],
			["link", devices.link.name],
			["live load", `${grouped(live)} readings/s`],
			["broker", `${grouped(broker.capacityPerSecond)} readings/s`],
			["sessions", `${gateways.count} gateways, ${grouped(gateways.sessionsPerSecond)}/s each`],
			["policies", policies.join(", ")],
			["expects", expected(scenario.expect ?? [])],
		];
		return [`### \`${name}\`: ${title}`, teaches, table(["", ""], facts), bullets(sources)];
	});
}

/** By policy, as far as neighbours have the same. */
function expected(expectations) {
	const groups = [];
	for (const { text, policies = [] } of expectations) {
		const whose = policies.join(", ");
		if (groups.at(-1)?.whose !== whose) {
			groups.push({ whose, texts: [] });
		}
		groups.at(-1).texts.push(`\`${text}\``);
	}
	return groups.map(({ whose, texts }) => `${whose && `${whose}: `}${texts.join(", ")}`).join("; ");
}

function suites() {
	const rows = lists.listSuites().map(({ name, title, scenarios }) => {
		const runs = scenarios.reduce((sum, { policies }) => sum + policies.length, 0);
		const sizes = scenarios.map(({ devices }) => devices);
		const fleets = `${grouped(Math.min(...sizes))} to ${grouped(Math.max(...sizes))}`;
		return [`\`${name}\``, title, scenarios.length, runs, fleets];
	});
	return table(["suite", "what it is", "scenarios", "runs", "devices"], rows);
}

const bullets = (lines) => lines.map((line) => `- ${line}`).join("\n");

function linkSources() {
	const all = Object.values(links.LINK_PROFILES);
	return bullets(all.flatMap(({ name, sources }) => sources.map((source) => `\`${name}\`: ${source}`)));
}

function limitLines() {
	return bullets([
		`Devices: ${grouped(limits.MAX_DEVICES)}. More is refused with the memory that it would take.`,
		`Scenario file: ${grouped(limits.MAX_SCENARIO_BYTES)} bytes, ${limits.MAX_YAML_DEPTH} levels, ${limits.MAX_YAML_ALIASES} aliases.`,
		`Cohort file: ${grouped(limits.MAX_TABLE_BYTES)} bytes, ${grouped(limits.MAX_COHORTS)} rows.`,
		`Outages: ${grouped(limits.MAX_OUTAGES)}. Attacks: ${grouped(limits.MAX_ATTACKS)}, each of at most ${grouped(limits.MAX_HOSTILE)} devices or addresses. Mistakes reported at once: ${limits.MAX_REPORTED_ERRORS}; the rest are counted.`,
	]);
}

const INTRO = `<!-- Written by scripts/docs.mjs from the schema: change src/scenarios/meanings.ts, then run it. -->

# Scenario reference

A scenario is a YAML file. Only \`schema\`, \`duration\` and \`devices.count\` must be there. Unknown keys are errors, with a
suggestion. Every error names file, line, column and key.

\`klais init\` writes a commented one that runs as it is, with its JSON Schema beside it, so that editors complete and explain every key;
\`klais schema\` prints that. \`--set path=value\` changes a value from the command line; the value is
read as YAML, and the path is dotted: \`--set outages.0.share=80%\`.

Units are part of the value: durations \`15m\`, \`1.5h\`, \`7d 12h\`, \`80ms\`, \`20us\`; rates \`2500/s\`; chances \`1%\` or
\`500ppm\`; bit rates \`375kbit/s\`; whole numbers may be grouped, \`1_000_000\`.`;

const COHORTS = `A cohort file is a CSV with a header and the columns \`devices\`, \`out_at_s\`, \`back_at_s\` and, optionally, \`spread_s\`. Times are
seconds from the scenario's start. An empty \`back_at_s\` means: not back before the end. Which devices form a cohort is a
seeded permutation of the fleet. \`klais import\` writes such files.`;

const SCALING = `\`--devices N\` runs the same scenario with another fleet, so that it keeps its shape: how long a backlog drains, how long the
fleet takes to connect, how full queues are.

- In proportion: broker capacity, sessions, queue and batch limits, queued requests, cohorts.
- In inverse proportion: CPU times of sessions, frames and readings.
- Unchanged: what one device has or does, the numbers of gateways, partitions and nodes, and all other times.

Values stop at 1 (queues and batches at one frame). \`klais run\` warns which values met that floor: such a run is no scale
model. \`--set devices.count=N\` scales nothing.`;

function page() {
	const parts = [
		INTRO,
		"## Keys",
		...keySections(),
		"## Starting from another scenario",
		EXTENDING,
		"## What must hold",
		EXPECTING,
		metricsTable(EXPECTED_METRICS, METRICS),
		"## Suites",
		SUITES,
		suites(),
		"## Cohort files",
		COHORTS,
		"## What ties keys together",
		bullets(RULES),
		"## Firmware profiles",
		"Timers and windows are the defaults of Apache Kafka's clients, for want of a standard among devices.",
		profilesTable(firmware.FIRMWARE_PROFILES, field),
		"## Link profiles",
		"One-way latencies. Publications give a typical and a worst case; the shape between them is assumed.",
		profilesTable(links.LINK_PROFILES, field),
		linkSources(),
		"## Scaling with `--devices`",
		SCALING,
		"## Limits",
		limitLines(),
		"## Catalogue",
		...catalogue(),
	];
	return `${parts.join("\n\n")}\n`;
}

const text = page();
if (!process.argv.includes("--check")) {
	writeFileSync(TARGET, text);
	process.stdout.write(`${TARGET}: ${Object.keys(MEANINGS).length} tables\n`);
} else if (!existsSync(TARGET) || readFileSync(TARGET, "utf8") !== text) {
	process.stderr.write("docs/scenarios.md is not up to date: run `node scripts/docs.mjs`\n");
	process.exitCode = 1;
}

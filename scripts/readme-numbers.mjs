// Fills the number blocks of README.md and docs/*.md from stored records, so that every figure there is one that a
// command printed: `node scripts/readme-numbers.mjs [--check] [results.json or bench.json ...]`.
// Without files: every record below results/published. A block that no record covers keeps its text, and is named.
// --check writes nothing, and fails where a block is not what its record says.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { forecastTable } from "./numbers/forecast-table.mjs";
import { liveTable } from "./numbers/live-table.mjs";
import { root } from "./setup/paths.mjs";

const PUBLISHED = join(root, "results", "published");
const BLOCK = /(<!-- numbers: ([\w-]+) -->\n)([\s\S]*?)(<!-- \/numbers -->)/g;

/** Blocks that show the runs of a scenario. */
const SCENARIOS = { psps: "psps-2019-10-25", "gateway-restart": "gateway-restart" };

const ROWS = [
	["Backlog drained in", ({ virtual }) => seconds(virtual.drainSeconds) ?? "never"],
	["… against the physical bound", ({ virtual }) => times(virtual.drainRatio)],
	["Readings stored twice", ({ ledger }) => count(ledger.duplicates)],
	["Readings lost or unaccounted for", ({ ledger }) => count(lost(ledger))],
	["Acknowledged, then lost", ({ ledger }) => count(ledger.ackedLost)],
	["Live p99 before the outage", ({ virtual }) => micros(virtual.liveLatencyBeforeMicros)],
	["Live p99 in recovery", ({ virtual }) => micros(virtual.liveLatencyRecoveryMicros)],
	[
		"95 % of returning devices connected within",
		({ virtual }) => seconds(virtual.devicesConnected.p95Seconds),
	],
	["… an ideal session queue", ({ virtual }) => seconds(virtual.devicesConnectedBound.p95Seconds)],
	["Attempts per session", ({ virtual }) => virtual.attemptsPerConnect.toFixed(2)],
	["Capacity put to use", ({ virtual }) => `${(virtual.utilisation * 100).toFixed(1)} %`],
];

function lost(ledger) {
	const { produced, durable, buffered, lostOverflow, lostVolatile } = ledger;
	return Math.max(produced - durable - buffered, lostOverflow + lostVolatile);
}

const count = (value) => value.toLocaleString("en-US");
const times = (ratio) => (ratio === null ? "" : `${ratio.toFixed(2)}×`);
const micros = ({ p99, count: readings }) => (readings === 0 ? "no reading" : seconds(p99 / 1_000_000));

function seconds(value) {
	if (value === null) {
		return undefined;
	}
	if (value < 120) {
		return `${Number(value.toPrecision(3))} s`;
	}
	return value < 7_200
		? `${Number((value / 60).toPrecision(3))} min`
		: `${Number((value / 3_600).toPrecision(3))} h`;
}

const line = (cells) => `| ${cells.join(" | ")} |`;

function runsTable(results, scenario) {
	const runs = results.runs.filter((run) => run.scenario === scenario);
	const head = ["", ...runs.map(({ policy }) => `\`${policy}\``)];
	const rows = ROWS.map(([name, value]) => [name, ...runs.map(value)]);
	const [first] = runs;
	const walls = runs.map(({ policy, wall }) => `\`${policy}\` ${Math.round(wall.seconds)} s`).join(", ");
	return [
		line(head),
		line(["---", ...runs.map(() => "---:")]),
		...rows.map(line),
		"",
		`Printed by \`${results.command}\`: ${count(first.devices)} devices, seed \`${first.seed}\`, commit ${commit(results)}. ` +
			`Wall time ${walls}, runs side by side on ${results.host.cores} cores (${results.host.cpu}).`,
		"",
	].join("\n");
}

function commit({ tool }) {
	return `${tool.commit.slice(0, 9)}${tool.dirty ? " with changes not yet committed" : ""}`;
}

function benchTable(results, group) {
	const records = results.bench.filter(({ name }) => name.startsWith(`${group}, `));
	// Passes and refusals never share a table: a refusal is cheap, and says nothing about what a pass costs.
	const refusals = records.filter(({ environment }) => environment.passShare === "0");
	const others = records.filter((record) => !refusals.includes(record));
	const tables = [others, refusals]
		.filter((some) => some.length > 0)
		.map((some) => (group === "forecast" ? forecastTable(some) : recordsTable(some, group)));
	return [
		tables.join("\n\n"),
		"",
		`Printed by \`${results.command}\`, commit ${commit(results)}, on ${results.host.cores} cores of ${results.host.cpu}, a machine ` +
			"shared with other work: figures compare with each other, not with another machine's.",
		"",
	].join("\n");
}

function recordsTable(records, group) {
	const rows = records.map(({ name, unit, better, samples, environment }) => {
		const sorted = [...samples].sort((x, y) => x - y);
		const best = better === "lower" ? sorted[0] : sorted.at(-1);
		const { pending, timeSource, time } = environment;
		const suffix = pending === undefined ? "" : `, ${count(Number(pending))} pending`;
		const shown = name.slice(group.length + 2) + suffix;
		return [
			shown,
			amount(best),
			amount(sorted[Math.floor(sorted.length / 2)]),
			unit,
			timeSource ?? time ?? "",
		];
	});
	return [
		line(["", "best", "median", "unit", "time"]),
		line(["---", "---:", "---:", "---", "---"]),
		...rows.map(line),
	].join("\n");
}

function amount(value) {
	const [size, unit] = [
		[1e9, " G"],
		[1e6, " M"],
	].find(([least]) => value >= least) ?? [1, ""];
	const scaled = Number((value / size).toPrecision(3));
	return `${scaled.toLocaleString("en-US")}${unit}`;
}

/** The text of a block out of the first record that covers it; undefined for none. */
function textOf(block, records) {
	const scenario = SCENARIOS[block];
	if (scenario !== undefined) {
		const found = records.find(({ runs }) => runs.some((run) => run.scenario === scenario));
		return found && runsTable(found, scenario);
	}
	const live = /^live-(.+)$/.exec(block)?.[1];
	if (live !== undefined) {
		return liveText(live, records);
	}
	const group = /^bench-(.+)$/.exec(block)?.[1];
	const found = records.find(({ bench }) => bench.some(({ name }) => name.startsWith(`${group}, `)));
	return found && benchTable(found, group);
}

/** `NAME` is a run of that scenario without hostile frames, `NAME-flooded` one with them. */
function liveText(name, records) {
	const scenario = name.replace(/-flooded$/, "");
	const isFlooded = scenario !== name;
	for (const results of records) {
		const found = results.live.find((each) => each.scenario === scenario);
		if (found !== undefined && results.command.includes("--flood") === isFlooded) {
			return liveTable(found, results, commit(results));
		}
	}
	return undefined;
}

function readRecord(file) {
	const results = JSON.parse(readFileSync(file, "utf8"));
	if (results.schema !== "klais.results/1") {
		throw new Error(`${file}: expected the schema klais.results/1, found ${results.schema}`);
	}
	return results;
}

function filesBelow(folder, ending) {
	if (!existsSync(folder)) {
		return [];
	}
	const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(ending));
	return names.sort().map((name) => join(folder, name));
}

function main(args) {
	const isCheck = args.includes("--check");
	const given = args.filter((arg) => !arg.startsWith("--"));
	const records = (given.length > 0 ? given : filesBelow(PUBLISHED, ".json")).map(readRecord);
	const pages = [join(root, "README.md"), ...filesBelow(join(root, "docs"), ".md")];
	for (const page of pages) {
		const before = readFileSync(page, "utf8");
		const after = before.replace(BLOCK, (whole, open, block, _old, close) => {
			const text = textOf(block, records);
			if (text === undefined) {
				process.stderr.write(`${relative(root, page)}: no record for the block ${block}\n`);
				return whole;
			}
			return `${open}${text}${close}`;
		});
		if (after !== before && isCheck) {
			process.stderr.write(`${relative(root, page)}: its numbers are not those of the records\n`);
			process.exitCode = 1;
		} else if (after !== before) {
			writeFileSync(page, after);
			process.stdout.write(`${relative(root, page)}: numbers filled in\n`);
		}
	}
}

main(process.argv.slice(2));

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/program.js";
import { loadNative } from "../../src/engine/native.js";
import { ShardWheels } from "../../src/engine/shard-wheels.js";
import { World } from "../../src/engine/world.js";
import { Ledger } from "../../src/record/ledger.js";
import { parseScenario } from "../../src/scenarios/load-scenario.js";
import { anchors, fences, klaisCommands, type Page, pages, prose, ROOT } from "./pages.js";

const all = pages();
const page = (path: string) => all.find((one) => one.path === path) as Page;

describe("the pages", () => {
	test.each(all)("$path: links lead to files and headings", ({ path, text }) => {
		const targets = [...prose({ path, text }).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
		for (const target of targets.filter((one) => !/^https?:/.test(one))) {
			const [file = "", anchor] = target.split("#");
			const linked = file === "" ? path : join(dirname(path), file);
			expect(existsSync(join(ROOT, linked)), `${path}: ${target}`).toBe(true);
			if (anchor !== undefined) {
				expect(anchors(page(linked)), `${path}: ${target}`).toContain(anchor);
			}
		}
	});

	test.each(all)("$path: names files of the repository that exist", ({ path, text }) => {
		const named = [...text.matchAll(/`((?:src|native|scripts|bench|test)\/[\w./-]+)`/g)];
		for (const [, file = ""] of named) {
			expect(existsSync(join(ROOT, file)), `${path}: ${file}`).toBe(true);
		}
	});

	test.each(all)("$path: klais commands parse", (one) => {
		for (const command of klaisCommands(one)) {
			expect(() => parse(command), `${one.path}: klais ${command}`).not.toThrow();
		}
	});

	test("the README shows commands at all", () => {
		expect(klaisCommands(page("README.md")).length).toBeGreaterThan(12);
	});

	test("every scenario shown loads", () => {
		const scenarios = all.flatMap(fences).filter(({ text }) => text.startsWith("schema: klais.scenario/1"));
		expect(scenarios.length).toBeGreaterThan(0);
		for (const { text } of scenarios) {
			const parsed = parseScenario(text, { file: "shown.yaml", folder: ROOT });
			expect(parsed.ok ? [] : parsed.error).toEqual([]);
		}
	});

	test("the scenario reference is what the schema says", () => {
		const run = spawnSync(process.execPath, [join(ROOT, "scripts", "docs.mjs"), "--check"], {
			encoding: "utf8",
		});
		expect(run.stderr).toBe("");
		expect(run.status).toBe(0);
	});

	test("number blocks are closed and known", () => {
		const run = spawnSync(process.execPath, [join(ROOT, "scripts", "readme-numbers.mjs"), "--check"], {
			encoding: "utf8",
		});
		expect(run.stderr).not.toContain("its numbers are not those of the records");
		const opened = all.flatMap(({ text }) => [...text.matchAll(/<!-- numbers: ([\w-]+) -->/g)]);
		const closed = all.flatMap(({ text }) => [...text.matchAll(/<!-- \/numbers -->/g)]);
		expect(opened.map(([, name]) => name).sort()).toEqual([
			"bench-dam",
			"bench-drop-peers",
			"bench-engine-storm",
			"bench-forecast",
			"bench-gateway-service",
			"bench-hold",
			"bench-kafka",
			"bench-turnaround",
			"bench-xdp",
			"live-restart-100k",
			"live-restart-100k-flooded",
			"psps",
		]);
		expect(closed.length).toBe(opened.length);
	});

	test("bytes per device are those of the code", () => {
		const { text } = page(join("docs", "architecture.md"));
		const row = (where: string) => Number(new RegExp(`\\| (\\d+) \\| \`${where}\``).exec(text)?.[1]);
		expect(row("ShardWheels")).toBe(ShardWheels.bytesPerDevice);
		expect(row("Ledger")).toBe(Ledger.bytesPerDevice);
		expect(row("World")).toBe(World.bytesPerDevice);
		const native = loadNative();
		expect(row("Device")).toBe(native.fleetBytesPerDevice());
		expect(row("Entry") + row("Dam") + row("CheckpointTable")).toBe(native.clusterBytesPerDevice());
		const names = ["Device", "Entry", "Dam", "CheckpointTable", "ShardWheels", "Ledger", "World"];
		const sum = names.map(row).reduce((x, y) => x + y);
		expect(text).toContain(`| **sum** | **${sum}** |`);
		// What a gateway keeps: issue 5 allows 40.
		expect(row("Entry") + row("Dam")).toBeLessThanOrEqual(40);
		expect(sum).toBeLessThanOrEqual(153);
	});
});

/** Parses a command without running it: placeholders in capitals stand for anything. */
function parse(command: string): void {
	const words = [...command.replace(/\s(>|\|).*$/, "").matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
		([, single, double, bare]) => single ?? double ?? bare ?? "",
	);
	const program = buildProgram(() => undefined);
	program.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
	for (const sub of program.commands) {
		sub.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
		sub.action(() => undefined);
	}
	// A command in running text stands for itself.
	if (words.length === 1) {
		expect(program.commands.map((sub) => sub.name())).toContain(words[0]);
		return;
	}
	program.parse(words, { from: "user" });
}

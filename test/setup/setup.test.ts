import { describe, expect, onTestFinished, test, vi } from "vitest";
import { packagesAreCurrent } from "../../scripts/setup/packages.mjs";
import { isAtLeast, provide, toBuild } from "../../scripts/setup/system.mjs";
import { folderOf, runScript } from "./support.js";

describe("set-up", () => {
	test("is silent, quick and needs no program where all is in place", () => {
		// Whoever runs vitest alone may have sources that are newer than what is built.
		expect(runScript("setup.mjs")).toMatchObject({ code: 0 });
		const runs = Array.from({ length: 3 }, () => runScript("setup.mjs", [], { PATH: "" }));
		for (const { code, printed } of runs) {
			expect(printed).toBe("");
			expect(code).toBe(0);
		}
		// The quickest: other work on this machine can slow any one of them.
		expect(Math.min(...runs.map(({ seconds }) => seconds))).toBeLessThan(1);
	});
});

describe("what the machine must have", () => {
	const absent = (name: string, more = {}) => ({ name, isThere: () => false, help: `get ${name}`, ...more });

	test("is named all at once, with how to get it", () => {
		const needs = [absent("a compiler", { debian: ["gcc"] }), absent("rust", { found: () => "rust 1.2" })];
		const run = () => provide(needs, () => false);
		expect(run).toThrow(/a compiler\n\s+get a compiler\n\s+rust \(found: rust 1\.2\)\n\s+get rust/);
	});

	test("is installed where Debian lets us, and looked for again", () => {
		const installed: string[] = [];
		const compiler = {
			...absent("a compiler", { debian: ["gcc"] }),
			isThere: () => installed.includes("gcc"),
		};
		provide(
			[compiler],
			() => true,
			(packages: string[]) => installed.push(...packages),
		);
		expect(installed).toEqual(["gcc"]);
		const elsewhere = absent("rust");
		expect(() =>
			provide(
				[elsewhere],
				() => true,
				() => {},
			),
		).toThrow("get rust");
	});

	test("may be optional: then it is said, and the rest goes on", () => {
		const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
		onTestFinished(() => said.mockRestore());
		provide([absent("browser", { optional: "its tests are skipped" })], () => false);
		expect(said).toHaveBeenCalledWith("set-up: no browser: its tests are skipped (get browser)\n");
	});

	test("names Rust and the linker", () => {
		const names = toBuild.map(({ name }) => name).join(", ");
		expect(names).toBe("rustc 1.95 or newer, cargo 1.95 or newer, a C compiler and linker (cc)");
	});

	test.each([
		["rustc 1.95.0 (abc 2026-03-21)", true],
		["cargo 1.100.2", true],
		["rustc 2.0.0", true],
		["rustc 1.94.9", false],
		[undefined, false],
	])("compares versions: %s", (version, expected) => {
		expect(isAtLeast(version, [1, 95])).toBe(expected);
	});
});

describe("installed packages", () => {
	const lock = (packages: object) => JSON.stringify({ packages });
	const wanted = lock({
		"": { name: "us" },
		"node_modules/a": { version: "1.0.0" },
		"node_modules/other-platform": { version: "1.0.0", optional: true },
	});

	const isCurrent = (files: Record<string, string>) => {
		const folder = folderOf({ "package-lock.json": wanted, ...files });
		return packagesAreCurrent(`${folder}/package-lock.json`, `${folder}/node_modules`);
	};
	const LIST = "node_modules/.package-lock.json";
	const A = "node_modules/a/package.json";

	test("are current if npm installed what the lockfile says", () => {
		expect(isCurrent({ [LIST]: lock({ "node_modules/a": { version: "1.0.0" } }), [A]: "{}" })).toBe(true);
	});

	test("are not if never installed, of another version, or deleted", () => {
		expect(isCurrent({})).toBe(false);
		expect(isCurrent({ [LIST]: lock({ "node_modules/a": { version: "0.9.0" } }), [A]: "{}" })).toBe(false);
		expect(isCurrent({ [LIST]: lock({ "node_modules/a": { version: "1.0.0" } }) })).toBe(false);
		expect(isCurrent({ [LIST]: lock({}), [A]: "{}" })).toBe(false);
	});
});

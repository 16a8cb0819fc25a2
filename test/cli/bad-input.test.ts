import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copiedTree, klais, newFolder, TINY } from "./support.js";

const BAD: readonly (readonly [string[], RegExp])[] = [
	[[], /Usage: klais/],
	[["rnu"], /unknown command 'rnu'\n\(Did you mean run\?\)/],
	[["run"], /missing required argument 'scenario'/],
	[["run", "smoke", "--polcy", "klais"], /unknown option '--polcy'\n\(Did you mean --policy\?\)/],
	[["run", "smoke", "--devices"], /option '--devices <n>' argument missing/],
	[["run", "smok"], /^no scenario is called "smok"\. Did you mean "smoke"\?/],
	[["run", "missing.yaml"], /^missing\.yaml: no such file/],
	[["run", "folder.yaml"], /^folder\.yaml: is a folder/],
	[["run", "bad.yaml"], /^bad\.yaml:5:3 devices\.coutn: unknown key "coutn"\. Did you mean "count"\?/m],
	[["run", "smoke", "--policy", "klaiss"], /^--policy: unknown name "klaiss"\. Did you mean "klais"\?/],
	[["run", "smoke", "--policy", "klais,klais"], /^--policy: klais is there twice/],
	[["run", "smoke", "--policy", ""], /^--policy: an empty name/],
	[["run", "smoke", "--reporter", "htm"], /^--reporter: unknown name "htm"\. Did you mean "html"\?/],
	[["run", "smoke", "--workers", "0"], /^--workers: expected a whole number from 1 to 256, found "0"/],
	[["run", "smoke", "--workers", "two"], /^--workers: expected a whole number from 1 to 256, found "two"/],
	[
		["run", "smoke", "--devices", "-1"],
		/^--devices: expected a whole number of devices, at least 1, found -1/,
	],
	[["run", "smoke", "--devices", "0"], /^--devices: .*found 0/],
	[["run", "smoke", "--devices", "1.5"], /^--devices: expected a whole number, found "1\.5"/],
	[
		["run", "smoke", "--devices", "10000000000"],
		/^--devices: 10,000,000,000 devices would take 1\.6 TB of memory/,
	],
	[["run", "smoke", "--seed", ""], /^--seed: expected a seed of 1 to 100 characters/],
	[["run", "smoke", "--out", ""], /^--out: expected a folder/],
	[["run", "smoke", "--set", "duration"], /^--set: expected path=value/],
	[["run", "smoke", "--set", "durration=2h"], /^--set durration=2h: unknown key .*Did you mean "duration"/],
	[["run", "smoke", "--set", "duration=2 parsecs"], /^--set duration=2 parsecs: .*duration/],
	[["run", "smoke", "--shard", "0/3"], /^--shard: expected a shard and how many there are, .*found "0\/3"/],
	[["run", "smoke", "--shard", "4/3"], /^--shard: expected a shard/],
	[["run", "smoke", "--shard", "1"], /^--shard: expected a shard/],
	[
		["run", "smoke", "--shard", "1/9"],
		/^--shard: there are 3 runs: expected at most as many shards, found 9/,
	],
	[["run", "smoke", "--shard", "1/1001"], /^--shard: expected at most 1000 shards, found 1001/],
	[["run", "smoke", "--durations", "x.json"], /^--durations: balances shards/],
	[["run", "smoke", "--shard", "1/2", "--durations", "x.ndjson"], /^x\.ndjson: no such file/],
	[["run", "smoke", "--shard", "1/2", "--durations", "bad.ndjson"], /^bad\.ndjson:2: expected a run as JSON/],
	[["merge"], /missing required argument 'dir'/],
	[["merge", "nowhere"], /^nowhere: holds no results\.json/],
	[["report", "missing.json"], /^missing\.json: no such file/],
	[["report", "cut.json"], /^cut\.json:1:\d+: not valid JSON.*cut short/],
	[
		["report", "foreign.json"],
		/^foreign\.json schema: expected schema "klais\.results\/1", which is "x" here/,
	],
	[["report", "foreign.json", "--reporter", "pdf"], /^--reporter: unknown name "pdf"/],
	[["bench", "--only", "damm"], /Did you mean "dam"\?/],
	[["import", "missing.csv"], /^missing\.csv: no such file/],
	[["import", "bad.csv"], /^bad\.csv:1 .*no time column/],
	[["import", "back.csv"], /^back\.csv:4.*back/],
	[["import", "flat.csv"], /^flat\.csv: nobody is ever out/],
	[["import", "back.csv", "--link", "5g"], /^--link: expected one of lte-m/],
	[["import", "back.csv", "--sessions", "many"], /^--sessions: expected a whole rate per second/],
	[["import", "back.csv", "--name", "A B"], /^--name: expected a name of lower-case letters/],
];

const FILES = {
	"bad.yaml": "schema: klais.scenario/1\nduration: 1h\n\ndevices:\n  coutn: 5\n",
	"cut.json": '{"schema": "klais.results/1", "runs": [',
	"foreign.json": '{"schema": "x"}',
	"bad.ndjson": '{"scenario":"a","policy":"b","devices":1,"seconds":1}\n{"scenario":"a"}\n',
	"bad.csv": "when,customers_out\n1,2\n",
	"back.csv": "time,customers_out\n1000,0\n2000,5\n1500,0\n",
	"flat.csv": "time,customers_out\n1000,0\n2000,0\n",
};

describe("bad input exits 2, says what is wrong on stderr, and leaves nothing", () => {
	test("every case", async () => {
		const cwd = newFolder({ ...FILES, "other.txt": "" });
		const { mkdirSync } = await import("node:fs");
		mkdirSync(join(cwd, "folder.yaml"));
		const before = readdirSync(cwd).sort();
		const waiting = [...BAD];
		const checkSome = async () => {
			for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
				const [args, message] = next;
				const { code, stdout, stderr } = await klais(args, { cwd });
				const what = `klais ${args.join(" ")}`;
				expect(stderr, what).toMatch(message);
				expect([what, code, stdout]).toEqual([what, 2, ""]);
				expect(stderr, what).not.toContain("    at ");
			}
		};
		await Promise.all([checkSome(), checkSome()]);
		expect(readdirSync(cwd).sort()).toEqual(before);
	});

	test("all mistakes in one go", async () => {
		const { code, stderr } = await klais(["run", "smoke", "--workers", "x", "--devices", "y", "--set", "z"]);
		expect(code).toBe(2);
		expect(stderr.trimEnd().split("\n")).toEqual([
			expect.stringMatching(/^--workers: /),
			expect.stringMatching(/^--devices: /),
			expect.stringMatching(/^--set: /),
		]);
	});

	test("control characters of the input never reach the terminal", async () => {
		const { stderr } = await klais(["run", "smoke", "--policy", "\u001b[31mred"]);
		expect(stderr).not.toContain("\u001b");
	});

	test("a native library that is missing", async () => {
		const tree = copiedTree();
		const cwd = newFolder({ "tiny.yaml": TINY });
		const { code, stderr } = await klais(["run", "tiny.yaml"], { cwd, tree });
		expect(code).toBe(2);
		expect(stderr).toMatch(/^native\/klais\.node: cannot be loaded .*npm run setup/);
		const doctor = await klais(["doctor"], { cwd, tree });
		expect(doctor.code).toBe(1);
		expect(doctor.stdout).toMatch(/missing {2}native library +does not load/);
		expect(readdirSync(cwd)).toEqual(["tiny.yaml"]);
	});
});

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { copiedTree, newFolder, recordIn, startKlais, TINY } from "./support.js";

/** Resolves once the process has said so on stderr. */
function says(child: ReturnType<typeof startKlais>["child"], words: string): Promise<void> {
	return new Promise((resolve) => {
		let text = "";
		child.stderr.on("data", (more: string) => {
			text += more;
			if (text.includes(words)) {
				resolve();
			}
		});
	});
}

const BIG = ["run", "psps-2019-10-25", "--devices", "20000", "--out", "o"];

describe("a run that is stopped", () => {
	test("writes what it has, marked as partial, and exits 130", async () => {
		const cwd = newFolder();
		const { child, ended } = startKlais([...BIG, "--workers", "1"], { cwd });
		await says(child, "started");
		await sleep(1_500);
		child.kill("SIGINT");
		// What npm does with a Ctrl-C of the terminal: the process gets it twice, and must not take it for impatience.
		await sleep(20);
		child.kill("SIGINT");
		const { code, stderr, stdout } = await ended;
		expect(stderr).toContain("stopping: the figures so far will be written");
		expect(code).toBe(130);
		expect(stdout).toContain("Partial results");
		const { partial, runs } = recordIn(join(cwd, "o"));
		expect(partial).toBe(true);
		// The second policy's turn never came.
		expect(runs).toMatchObject([{ policy: "none", complete: false, ledger: { imbalance: null } }]);
		expect(readFileSync(join(cwd, "o", "BENCHMARK_RESULTS.md"), "utf8")).toMatch(/partial/i);
	});

	test("SIGTERM does the same, with its own code", async () => {
		const cwd = newFolder();
		const { child, ended } = startKlais([...BIG, "--policy", "klais", "--reporter", "json"], { cwd });
		await says(child, "started");
		await sleep(1_500);
		child.kill("SIGTERM");
		expect((await ended).code).toBe(143);
		expect(recordIn(join(cwd, "o")).partial).toBe(true);
	});

	test("a second signal ends it at once", async () => {
		const deaf = `export class Simulation {
			run() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }
		}`;
		const cwd = newFolder({ "tiny.yaml": TINY });
		const { child, ended } = startKlais(["run", "tiny.yaml"], { cwd, tree: copiedTree(deaf) });
		await says(child, "started");
		await sleep(300);
		child.kill("SIGINT");
		await sleep(800);
		child.kill("SIGINT");
		expect((await ended).code).toBe(130);
		expect(existsSync(join(cwd, "results"))).toBe(false);
	});
});

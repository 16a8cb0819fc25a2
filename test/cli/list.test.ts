import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { klais, newFolder, PROJECT } from "./support.js";

/** Loading is what the answer costs: 23 modules are 80 ms on an idle core, the schemas alone would be 150 more. */
const MODULES_MAX = 30;
const CPU_MS_MAX = 300;

describe("klais list answers in a moment", () => {
	test("because it loads next to nothing", async () => {
		const folder = newFolder();
		const { code } = await klais(["list"], { env: { NODE_V8_COVERAGE: folder } });
		expect(code).toBe(0);
		const [report = ""] = readdirSync(folder);
		const { result } = JSON.parse(readFileSync(join(folder, report), "utf8")) as {
			result: { url: string }[];
		};
		const files = result.flatMap(({ url }) => (url.startsWith("file:") ? [fileURLToPath(url)] : []));
		const packages = files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
		expect([...new Set(packages)].sort()).toEqual(["commander", "picocolors"]);
		expect(files.length, files.join("\n")).toBeLessThanOrEqual(MODULES_MAX);
		expect(files.length).toBeGreaterThan(10);
	});

	test.skipIf(process.platform === "win32")(
		"in CPU time, which other work on these cores costs little",
		() => {
			const command = `"${process.execPath}" "${PROJECT}/bin/klais.js" list > /dev/null; times`;
			const millis = Array.from({ length: 5 }, () => {
				const { stdout } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
				// The second line is the children's: user and system, as 0m0.071s.
				const [, children = ""] = stdout.trim().split("\n");
				const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
				expect(parts).toHaveLength(2);
				return parts.reduce(
					(sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1_000,
					0,
				);
			});
			expect(Math.min(...millis)).toBeLessThan(CPU_MS_MAX);
			expect(Math.min(...millis)).toBeGreaterThan(0);
		},
	);
});

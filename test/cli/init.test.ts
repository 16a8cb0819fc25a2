import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { klais, newFolder, recordIn } from "./support.js";

describe("klais init", () => {
	test("writes a scenario that runs as it is and passes", async () => {
		const cwd = newFolder();
		const { code, stdout, stderr } = await klais(["init"], { cwd });
		expect({ code, stdout }).toEqual({ code: 0, stdout: "my-fleet.yaml\n" });
		expect(stderr).toContain("klais run my-fleet.yaml");
		expect(readdirSync(cwd).sort()).toEqual(["klais.scenario.schema.json", "my-fleet.yaml"]);
		const ran = await klais(["run", "my-fleet.yaml", "--policy", "klais", "--out", "o"], { cwd });
		expect(ran.code).toBe(0);
		const [run] = recordIn(join(cwd, "o")).runs;
		expect(run?.scenario).toBe("my-fleet");
		expect(run?.config).toHaveProperty("expect.3.policies", ["klais"]);
	});

	test("points editors to the schema beside it", async () => {
		const cwd = newFolder();
		await klais(["init", "plans/ours.yml"], { cwd });
		const [first] = readFileSync(join(cwd, "plans", "ours.yml"), "utf8").split("\n");
		const [, schemaFile = ""] = /^# yaml-language-server: \$schema=(.+)$/.exec(first ?? "") ?? [];
		const schema = JSON.parse(readFileSync(join(cwd, "plans", schemaFile), "utf8"));
		const { stdout } = await klais(["schema"]);
		expect(schema).toEqual(JSON.parse(stdout));
	});

	test("never replaces a scenario, nor a schema that is not ours", async () => {
		const cwd = newFolder({ "mine.yaml": "precious" });
		const there = await klais(["init", "mine.yaml"], { cwd });
		expect(there).toMatchObject({
			code: 2,
			stdout: "",
			stderr: expect.stringContaining("mine.yaml: is there already"),
		});
		expect(readdirSync(cwd)).toEqual(["mine.yaml"]);
		expect(readFileSync(join(cwd, "mine.yaml"), "utf8")).toBe("precious");
		writeFileSync(join(cwd, "klais.scenario.schema.json"), "{}");
		const schema = await klais(["init", "other.yaml"], { cwd });
		expect(schema).toMatchObject({ code: 2, stderr: expect.stringContaining("is no schema of klais") });
		expect(readFileSync(join(cwd, "klais.scenario.schema.json"), "utf8")).toBe("{}");
	});

	test.each([
		["notes.txt", "ends in .yaml"],
		["fleet", "ends in .yaml"],
		["/dev/null/a.yaml", "cannot be written"],
	])("%s is refused", async (file, says) => {
		const { code, stderr } = await klais(["init", file], { cwd: newFolder() });
		expect(code).toBe(2);
		expect(stderr).toContain(says);
	});
});

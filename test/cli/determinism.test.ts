import { join } from "node:path";
import { expect, test } from "vitest";
import { klais, newFolder, recordIn, TINY, withoutWall } from "./support.js";

async function recordOf(cwd: string, out: string, args: readonly string[]): Promise<string> {
	await klais([...args, "--out", out, "--reporter", "json"], { cwd });
	const folder = join(cwd, out);
	expect(recordIn(folder).partial).toBe(false);
	return folder;
}

test("a seed gives the same bytes for any number of workers; another seed gives another digest", async () => {
	const cwd = newFolder({ "tiny.yaml": TINY });
	const args = ["run", "tiny.yaml"];
	const one = await recordOf(cwd, "one", [...args, "--workers", "1"]);
	const two = await recordOf(cwd, "two", [...args, "--workers", "2"]);
	expect(withoutWall(two)).toBe(withoutWall(one));

	// The command in the record is enough to get the same record.
	const [, ...words] = recordIn(one).command.split(" ");
	expect(withoutWall(await recordOf(cwd, "repeated", words))).toBe(withoutWall(one));

	const other = await recordOf(cwd, "other", [...args, "--seed", "eight"]);
	const digests = [one, other].flatMap((folder) => recordIn(folder).runs.map(({ digest }) => digest));
	expect(new Set(digests).size).toBe(6);
});

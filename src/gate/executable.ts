import { z } from "zod";
import { err, ok, type Result } from "../units/result.js";
import { runProgram } from "./process.js";
import type { CountedBenchmark, TimedBenchmark } from "./suite.js";

const BUILD_SECONDS_MAX = 3_600;

const artifact = z.looseObject({
	reason: z.literal("compiler-artifact"),
	target: z.looseObject({ name: z.string(), kind: z.array(z.string()) }),
	executable: z.string(),
});

/**
 * The words that run a benchmark in a tree. A cargo benchmark is built first, and its program named: cargo itself would be
 * measured otherwise. Why not, if it cannot be built there.
 */
export async function executable(
	{ command, cargo }: TimedBenchmark | CountedBenchmark,
	folder: string,
	stop: AbortSignal,
): Promise<Result<readonly string[], string>> {
	if (command !== undefined) {
		return ok(command);
	}
	if (cargo === undefined) {
		return err("it has neither a command nor a cargo benchmark");
	}
	const words = [
		...["cargo", "bench", "--no-run", "--locked", "--message-format=json", "--manifest-path", cargo.manifest],
		...["-p", cargo.package, "--bench", cargo.bench],
	];
	const { code, stdout, complaint } = await runProgram(words, {
		folder,
		timeoutSeconds: BUILD_SECONDS_MAX,
		stop,
	});
	if (code !== 0) {
		return err(`${words.join(" ")} failed: ${complaint}`);
	}
	for (const line of stdout.split("\n")) {
		const parsed = artifact.safeParse(json(line));
		if (
			parsed.success &&
			parsed.data.target.name === cargo.bench &&
			parsed.data.target.kind.includes("bench")
		) {
			return ok([parsed.data.executable, ...cargo.arguments]);
		}
	}
	return err(`${words.join(" ")} built no program`);
}

/** A line of JSON; undefined where it is none. */
export function json(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch {
		return undefined;
	}
}

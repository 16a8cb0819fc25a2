import type { Command } from "commander";
import type { ExitCode } from "./exit-codes.js";
import type { GateFlags } from "./gate/flags.js";

const EXAMPLES = `
Examples:
  klais gate --baseline results/baseline/results.json           is what the last run gave still the same?
  klais gate --baseline old.json --candidate new.json --margin virtual.drainRatio=1% --margin digest=any
  klais gate --base main                                        is this checkout slower than main?
  klais gate --base v1.2 --plane time --only engine-storm --time-margin 5%
  klais gate --self-test --quick                                what this gate would find on this machine

Exit codes: 0 pass, 1 fail, 2 not comparable or bad usage, 3 inconclusive.`;

/** Adds `klais gate` with its flags. */
export function addGate(program: Command, end: (code: ExitCode) => void): void {
	program
		.command("gate")
		.description("is it worse than before? compares records exactly, and builds for speed")
		.option("--baseline <file>", "a stored results.json: compare digests, metrics and work with it, exactly")
		.option("--candidate <file>", "the record to judge", "results/latest/results.json")
		.option("--margin <metric=value>", "let a metric move by 2%, by 50, or by any; may be repeated", collect)
		.option("--subset", "the candidate need not have every run of the baseline")
		.option("--trace", "name the first event that differs; runs both builds again")
		.option("--base <ref>", "a commit: build it, and measure it against this checkout, in turn")
		.option("--suite <file>", "with --base: what to build and measure (default: bench/gate.yaml)")
		.option(
			"--plane <a,b>",
			"with --base: exact, time, instructions (default: all that the suite has)",
			collect,
		)
		.option("--only <a,b>", "with --base: benchmarks by name", collect)
		.option("--time-margin <share>", "with --base: slower by more than this fails", "3%")
		.option(
			"--budget <duration>",
			"with --base: how long the first round of time measurements may take",
			"10m",
		)
		.option("--blocks <n>", "with --base: blocks of six samples at most", "30")
		.option("--judge <time>", "with --base: cpu or wall, which time of a program is judged", "cpu")
		.option("--cache <dir>", "with --base: where builds of other commits are kept")
		.option("--self-test", "measure false alarms and detections with injected slowdowns under noise")
		.option("--quick", "with --self-test: few trials, to see that it works")
		.option("--trials <n>", "with --self-test: real trials for each slowdown")
		.option("--seed <text>", "the seed of resampling", "klais")
		.option("--out <dir>", "folder for the report", "results/latest/gate")
		.option("--reporter <a,b>", "md, json, junit, github (default: md; json always)", collect)
		.addHelpText("after", EXAMPLES)
		.action(async (flags: GateFlags) => end(await (await import("./gate-command.js")).gateCommand(flags)));
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
	return [...earlier, value];
}

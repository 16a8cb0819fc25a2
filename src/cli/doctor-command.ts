import type { Check, Needed } from "./doctor-check.js";
import { checkMachine } from "./doctor-checks.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { coloursFor, print } from "./talk.js";

const TITLES: Readonly<Record<Needed, string>> = {
	run: "To simulate (klais run)",
	build: "To build from source",
	tests: "To run every test",
	live: "To send real packets (klais live, klais calibrate, klais bench --only xdp)",
	kafka: "To write to a real Kafka (klais live --sink kafka, and its tests)",
	later: "For commands that use more of the machine",
};

/** `klais doctor`: what this machine can run, and how to get the rest. Fails only when `klais run` cannot work. */
export async function doctorCommand(): Promise<ExitCode> {
	const checks = await checkMachine();
	const width = Math.max(...checks.map(({ name }) => name.length));
	for (const needed of Object.keys(TITLES) as Needed[]) {
		print(`${TITLES[needed]}:`);
		printChecks(
			checks.filter((check) => check.needed === needed),
			width,
		);
	}
	const canRun = checks.every(({ ok, needed }) => ok || needed !== "run");
	print(
		canRun ? "`klais run` works on this machine." : "`klais run` cannot work on this machine yet: see above.",
	);
	return canRun ? EXIT.passed : EXIT.failed;
}

function printChecks(checks: readonly Check[], width: number): void {
	const colours = coloursFor(process.stdout);
	for (const { name, ok, found, help } of checks) {
		const mark = ok ? colours.green("ok     ") : colours.yellow("missing");
		print(`  ${mark}  ${name.padEnd(width)}  ${found}${ok ? "" : ` (${help})`}`);
	}
}

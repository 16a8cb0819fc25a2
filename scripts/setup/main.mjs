import { SetupError } from "./run.mjs";

/** Runs a script's work; a failure the user can act on is printed without a stack. */
export async function main(work) {
	try {
		await work();
	} catch (error) {
		if (!(error instanceof SetupError)) {
			throw error;
		}
		process.stderr.write(`${error.message}\n`);
		process.exitCode = 1;
	}
}

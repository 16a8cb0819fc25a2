import { CommanderError } from "commander";
import { EXIT } from "./exit-codes.js";
import { buildProgram, exitCodeOf } from "./program.js";

/** A reader that has seen enough, such as `head`, closes the pipe: no reason to complain. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code !== "EPIPE") {
		throw error;
	}
});

try {
	const program = buildProgram((code) => {
		process.exitCode = code;
	});
	await program.parseAsync();
} catch (error) {
	if (error instanceof CommanderError) {
		process.exitCode = exitCodeOf(error.exitCode);
	} else {
		process.stderr.write(`klais failed, which is a fault of its own: ${(error as Error).stack ?? error}\n`);
		process.exitCode = EXIT.failed;
	}
}

import { initScenario } from "../scenarios/init-scenario.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { shellCommand } from "./shell-command.js";
import { print, refuse, say } from "./talk.js";

/** `klais init`: writes a commented scenario that runs as it is, to start from. */
export function initCommand(file: string): ExitCode {
	const written = initScenario(file);
	if (!written.ok) {
		return refuse([written.error]);
	}
	const { scenarioFile, schemaFile } = written.value;
	say(`${schemaFile}: for editors, which complete and explain the keys`);
	print(scenarioFile);
	// A bare name would be looked up in the catalogue; a file is told by its ending.
	say(`now run it: ${shellCommand(["klais", "run", scenarioFile])}`);
	return EXIT.passed;
}

import { formatDuration } from "../units/duration.js";
import { catalogueFacts, suiteFacts } from "./catalogue-facts.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { coloursFor, print } from "./talk.js";

/** `klais list`: the scenarios and the suites that come with the software. */
export async function listCommand({ json = false }: { readonly json?: boolean }): Promise<ExitCode> {
	if (json) {
		await printJson();
		return EXIT.passed;
	}
	const scenarios = (await catalogueFacts()).map(({ name, devices, durationMicros, title }) => [
		name,
		devices.toLocaleString("en-US"),
		formatDuration(durationMicros),
		title,
	]);
	printTable(["NAME", "DEVICES", "DURATION", "TITLE"], scenarios, [1]);
	print("");
	const suites = suiteFacts().map(({ word, scenarios: count, title }) => [word, String(count), title]);
	printTable(["SUITE", "SCENARIOS", "TITLE"], suites, [1]);
	return EXIT.passed;
}

/** All that scenarios and suites say, teaching text included: worth the slower loader. */
async function printJson(): Promise<void> {
	const { listCatalogue, listSuites } = await import("../scenarios/list-catalogue.js");
	const scenarios = listCatalogue().map(({ durationMicros, ...entry }) => ({
		kind: "scenario",
		...entry,
		durationSeconds: durationMicros / 1_000_000,
	}));
	const suites = listSuites().map((entry) => ({ kind: "suite", ...entry }));
	print(JSON.stringify([...scenarios, ...suites], undefined, "\t"));
}

function printTable(head: readonly string[], body: readonly string[][], toTheRight: readonly number[]): void {
	const colours = coloursFor(process.stdout);
	const rows = [head, ...body];
	const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
	for (const [index, row] of rows.entries()) {
		const cells = row.map((cell, column) => {
			const width = column === head.length - 1 ? 0 : (widths[column] ?? 0);
			return toTheRight.includes(column) ? cell.padStart(width) : cell.padEnd(width);
		});
		const line = cells.join("  ");
		print(index === 0 ? colours.dim(line) : line);
	}
}

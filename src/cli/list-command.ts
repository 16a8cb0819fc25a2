import { formatDuration } from "../units/duration.js";
import { type CatalogueFacts, catalogueFacts } from "./catalogue-facts.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { coloursFor, print } from "./talk.js";

/** `klais list`: the scenarios that come with the software. */
export async function listCommand({ json = false }: { readonly json?: boolean }): Promise<ExitCode> {
	if (json) {
		// All that a scenario says, teaching text included: worth the slower loader.
		const { listCatalogue } = await import("../scenarios/load-scenario.js");
		const entries = listCatalogue().map(({ durationMicros, ...entry }) => ({
			...entry,
			durationSeconds: durationMicros / 1_000_000,
		}));
		print(JSON.stringify(entries, undefined, "\t"));
		return EXIT.passed;
	}
	printTable(await catalogueFacts());
	return EXIT.passed;
}

function printTable(entries: readonly CatalogueFacts[]): void {
	const colours = coloursFor(process.stdout);
	const rows = [
		["NAME", "DEVICES", "DURATION", "TITLE"],
		...entries.map(({ name, devices, durationMicros, title }) => [
			name,
			devices.toLocaleString("en-US"),
			formatDuration(durationMicros),
			title,
		]),
	];
	const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
	for (const [index, [name = "", devices = "", duration = "", title = ""]] of rows.entries()) {
		const [nameWidth = 0, devicesWidth = 0, durationWidth = 0] = widths;
		const cells = [name.padEnd(nameWidth), devices.padStart(devicesWidth), duration.padEnd(durationWidth)];
		const line = [...cells, title].join("  ");
		print(index === 0 ? colours.dim(line) : line);
	}
}

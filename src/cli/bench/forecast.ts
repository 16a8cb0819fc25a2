import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalogueFile } from "../../scenarios/catalogue.js";
import { readTraceVariants } from "../../scenarios/trace-variants.js";
import { formatUserError } from "../talk.js";
import { forecastResult, parseForecastLines, TUNED_ON } from "./forecast-figures.js";
import type { Group } from "./group.js";
import { cargoBench } from "./rust-lines.js";

/** The other trace that comes with the package. */
const HELD_OUT = "psps-2019-10-25";

/** Forecasters side by side on outage traces: those of the catalogue, and those that the user names. */
export const forecast: Group = async ({ quick, say, traces }) => {
	const folder = await mkdtemp(join(tmpdir(), "klais-forecast-"));
	try {
		const args = await traceArguments(folder, traces);
		say("building and running the Rust benchmark of native/brain");
		return forecastResult(parseForecastLines(await cargoBench("klais-brain", "forecast", quick, args)));
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
};

/** A trace that the catalogue has already goes by the catalogue's name, and brings its glitches and its list. */
async function traceArguments(folder: string, files: readonly string[]): Promise<string[]> {
	const shipped = new Map<string, string>();
	const args: string[] = [];
	for (const name of [TUNED_ON, HELD_OUT]) {
		const file = catalogueFile(name)?.replace(/\.yaml$/, ".cohorts.csv");
		if (file === undefined) {
			throw new Error(`the catalogue lacks ${name}`);
		}
		shipped.set(await readFile(file, "utf8"), name);
		args.push(name === TUNED_ON ? "--tune" : "--trace", `${name}=${file}`);
	}
	const add = async (flag: string, name: string, text: string): Promise<void> => {
		const file = join(folder, `${args.length}.csv`);
		await writeFile(file, text);
		args.push(flag, `${name}=${file}`);
	};
	for (const file of files) {
		const variants = readTraceVariants(file);
		if (!variants.ok) {
			throw new Error(variants.error.map(formatUserError).join("\n"));
		}
		const { cohorts, glitched, listed } = variants.value;
		const known = shipped.get(cohorts);
		const name = known ?? variants.value.name;
		if (known === undefined) {
			await add("--trace", name, cohorts);
		}
		await add("--glitched", name, glitched);
		if (listed !== undefined) {
			await add("--trace", `${name} (list)`, listed);
		}
	}
	return args;
}

import { fileURLToPath } from "node:url";
import type { ImportOptions } from "../../src/scenarios/import-options.js";

/** The utility's traces lie beside the repository, where they are there at all (see their README). */
export const OUTAGE_DATA_FOLDER = fileURLToPath(new URL("../../../shared/data/outages/", import.meta.url));

const SOURCES = [
	"Outages: PG&E public outage map, scraped about every 10 minutes into the repository simonw/pge-outages-pre-2024, snapshot head d1561539, licence Apache-2.0",
	"Link: see the link profile lte-m; firmware timers: defaults of Apache Kafka's clients, see the firmware profile smart-meter",
];

/** How the catalogue's psps-2019-10-25 was made; the command in its file says the same. */
const PSPS: ImportOptions = {
	traceFile: `${OUTAGE_DATA_FOLDER}pge_psps_2019-10-25_total.csv`,
	outagesFile: `${OUTAGE_DATA_FOLDER}pge_psps_2019-10-25_outages.csv`,
	name: "psps-2019-10-25",
	title: "Public-safety power shutoff, California, October 2019",
	teaches:
		"A million meters go dark over half a day and return over six, in lumps of a few to some thousands, in two waves. " +
		"Each brings days of readings. The average load is small: what matters is that one backlog drains before the next " +
		"lump lands on it, and that fresh readings need not wait behind old ones.",
	sources: SOURCES,
	capacityPerSecond: 5_000,
	sessionsPerSecond: 20,
};

/** How the catalogue's storm-2021-01-26 was made. */
const STORM: ImportOptions = {
	traceFile: `${OUTAGE_DATA_FOLDER}pge_storm_2021-01-26_total.csv`,
	outagesFile: `${OUTAGE_DATA_FOLDER}pge_storm_2021-01-26_outages.csv`,
	name: "storm-2021-01-26",
	title: "Winter storm, California, January 2021",
	teaches:
		"A storm tears a quarter of a million homes off within hours, and crews mend line after line: half are back in 16 " +
		"hours, the last tenth takes days. No single moment is large, but each lump brings as long a backlog as its repair " +
		"took, and the slowest come back with the most to say while everybody else has long been live.",
	sources: SOURCES,
	capacityPerSecond: 1_200,
	sessionsPerSecond: 5,
};

/** The imports that became scenarios of the catalogue, with their fleets. */
export const OUTAGE_IMPORTS: readonly (readonly [options: ImportOptions, devices: number])[] = [
	[PSPS, 1_074_065],
	[STORM, 253_095],
];

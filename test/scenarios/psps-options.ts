import { fileURLToPath } from "node:url";
import type { ImportOptions } from "../../src/scenarios/import-options.js";

/** The utility's traces lie beside the repository, where they are there at all (see their README). */
export const OUTAGE_DATA_FOLDER = fileURLToPath(new URL("../../../shared/data/outages/", import.meta.url));

/** How the catalogue's psps-2019-10-25 was made; the command in its file says the same. */
export const PSPS_OPTIONS: ImportOptions = {
	traceFile: `${OUTAGE_DATA_FOLDER}pge_psps_2019-10-25_total.csv`,
	outagesFile: `${OUTAGE_DATA_FOLDER}pge_psps_2019-10-25_outages.csv`,
	name: "psps-2019-10-25",
	title: "Public-safety power shutoff, California, October 2019",
	teaches:
		"A million meters go dark over half a day and return over six, in lumps of a few to some thousands, in two waves. " +
		"Each brings days of readings. The average load is small: what matters is that one backlog drains before the next " +
		"lump lands on it, and that fresh readings need not wait behind old ones.",
	sources: [
		"Outages: PG&E public outage map, scraped about every 10 minutes into the repository simonw/pge-outages-pre-2024, snapshot head d1561539, licence Apache-2.0",
		"Link: see the link profile lte-m; firmware timers: defaults of Apache Kafka's clients, see the firmware profile smart-meter",
	],
	capacityPerSecond: 5_000,
	sessionsPerSecond: 20,
};

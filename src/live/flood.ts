import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Child } from "./child.js";
import { LiveFault } from "./live-fault.js";
import { FLEET_PROGRAM } from "./machine.js";
import { parsed } from "./parsed.js";
import { FIRST_DEVICE_ADDRESS, GATEWAY_PORT, type Topology } from "./topology.js";

/** Hostile frames per second in all; null: as many as it can. */
export type FloodRate = number | null;

/** Longer than any run that a flood makes sense in. */
const SECONDS_MAX = 600;
const REPORT_MILLIS = 15_000;
/** So many overheard HELLOs are enough to send again and again. */
const OVERHEARD_BYTES_MAX = 8 << 20;
/** Signs frames that were good once. */
const OLD_KEY = { masterKey: "6f6c64206b657973206f70656e206e6f", keyEpoch: 255 };

const whole = z.number().nonnegative();
const reportSchema = z.looseObject({
	sent: z.record(z.string(), whole),
	framesSent: whole,
	bytesSent: whole,
	seconds: whole,
	framesReceived: whole,
	bytesReceived: whole,
});

/** What was sent in hostility, and what came back. */
export interface FloodReport {
	readonly sentByKind: Readonly<Record<string, number>>;
	readonly framesSent: number;
	readonly framesPerSecond: number;
	readonly bytesSent: number;
	readonly framesAnswered: number;
	readonly bytesAnswered: number;
}

/**
 * Whoever has no key, in the fleet's namespace and from the devices' own addresses: one process that makes frames up, from
 * the start, and one that repeats HELLOs which it has overheard, as soon as there are any. Both give way to the fleet, whose
 * load must stay the scenario's.
 */
export class Flood {
	private readonly children = new Map<string, Child>();

	constructor(
		private readonly rate: FloodRate,
		private readonly programs: string,
		private readonly topology: Topology,
		private readonly folder: string,
		private readonly devices: number,
	) {}

	/** The file to which the fleet copies its HELLOs. */
	get tap(): string {
		return join(this.folder, "tap.txt");
	}

	/** Begins with what needs no eavesdropping. */
	async begin(): Promise<void> {
		const kinds = { spoofed: 1, forgedCookie: 1, oldKey: 1, malformed: 1 };
		await this.start("forger", { kinds, oldKey: OLD_KEY });
	}

	/** Begins to repeat HELLOs once some have been overheard. Throws a fault of the run when an attacker has ended. */
	async watch(): Promise<void> {
		for (const child of this.children.values()) {
			child.check("run");
		}
		if (this.children.has("echo") || !existsSync(this.tap)) {
			return;
		}
		const lines = await overheard(this.tap);
		if (lines !== "") {
			const replay = join(this.folder, "overheard.txt");
			await writeFile(replay, lines);
			await this.start("echo", { kinds: { replay: 1 }, replay });
		}
	}

	/** Ends the flood: what it was. */
	async end(): Promise<FloodReport> {
		const reports = await Promise.all(
			[...this.children].map(async ([name, child]) => {
				child.signal("SIGTERM");
				if (!(await child.endsWithin(REPORT_MILLIS)) || !child.succeeded) {
					throw new LiveFault(
						"run",
						`${child.name} failed: ${child.ended ?? "no end"}: ${child.complaint()}`,
					);
				}
				return parsed(reportSchema, await readFile(this.reportOf(name), "utf8"), `${child.name}'s report`);
			}),
		);
		const sum = (of: (report: (typeof reports)[number]) => number) =>
			reports.reduce((all, each) => all + of(each), 0);
		return {
			sentByKind: Object.assign({}, ...reports.map(({ sent }) => sent)) as Record<string, number>,
			framesSent: sum(({ framesSent }) => framesSent),
			framesPerSecond: sum(({ framesSent, seconds }) => (seconds === 0 ? 0 : framesSent / seconds)),
			bytesSent: sum(({ bytesSent }) => bytesSent),
			framesAnswered: sum(({ framesReceived }) => framesReceived),
			bytesAnswered: sum(({ bytesReceived }) => bytesReceived),
		};
	}

	/** Ends what still runs, whatever it has to say. */
	async stop(): Promise<void> {
		await Promise.all([...this.children.values()].map((child) => child.stop()));
	}

	private reportOf(name: string): string {
		return join(this.folder, `${name}-report.json`);
	}

	private async start(name: string, kinds: object): Promise<void> {
		const file = join(this.folder, `${name}.json`);
		const config = {
			schema: "klais.fleet-attack/1",
			gateways: this.topology.gateways.map(({ address }) => `${address}:${GATEWAY_PORT}`),
			firstAddress: FIRST_DEVICE_ADDRESS,
			addresses: this.devices,
			devices: this.devices,
			seconds: SECONDS_MAX,
			...(this.rate === null ? {} : { framesPerSecond: this.rate / 2 }),
			...kinds,
			report: this.reportOf(name),
		};
		await writeFile(file, JSON.stringify(config));
		const command = ["-n", "19", join(this.programs, FLEET_PROGRAM), "attack", "--config", file];
		this.children.set(name, new Child(`the flood's ${name}`, this.topology.fleet, "nice", command, () => {}));
	}
}

/** Whole lines of the tap: its writer may be in the middle of one. */
async function overheard(tap: string): Promise<string> {
	const text = await readFile(tap, "latin1");
	const end = text.lastIndexOf("\n", OVERHEARD_BYTES_MAX) + 1;
	return text.slice(0, end);
}

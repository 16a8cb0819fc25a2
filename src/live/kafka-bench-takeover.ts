import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { type DeviceReport, DevicesAtWork } from "./kafka-bench-fleet.js";
import { BenchGateway, READING_BYTES } from "./kafka-bench-gateway.js";
import { probeAll } from "./kafka-bench-probe.js";
import { type BenchLog, type BenchWorld, newLog, SHARDS } from "./kafka-bench-world.js";
import { LiveFault } from "./live-fault.js";
import { GATEWAY_PROGRAM } from "./machine.js";
import { parsed } from "./parsed.js";

/** Devices with marks in the log, and those that are at work beside them. */
const MARKS = { full: 1_000_000, quick: 20_000 };
const AT_WORK = { full: 20_000, quick: 500 };
/** After a kill everybody has time to come back. */
const RETURN_SECONDS = { full: 12, quick: 5 };
const CONNECT_MILLIS = 15_000;
const TAKEOVER_MILLIS = 30_000;
const LOOK_MILLIS = 50;
const GATEWAYS = ["127.0.1.1", "127.0.1.2"] as const;
const CLUSTER_KEY = "4b4c41495320636c7573746572206b65";

/** A kill of a gateway, and what came of it. Seconds. */
export interface Kill {
	/** From the kill to the first commit of the new owner, for the first shard and for the last one. */
	readonly firstSeconds: number;
	readonly lastSeconds: number;
	readonly devices: DeviceReport;
}

/** What a gateway reads from its log when it starts. */
interface Restore {
	readonly marks: number;
	/** From the start of the process until it served all shards. */
	readonly seconds: number;
	/** The same with nothing in the log. */
	readonly emptySeconds: number;
}

export interface Takeovers {
	readonly restore: Restore;
	readonly restart: Kill;
	/** Or why there is none. */
	readonly takeover: Kill | string;
}

/** Kills gateways that have a million devices' marks to care for, while devices send. */
export async function takeovers(world: BenchWorld): Promise<Takeovers> {
	const size: Size = world.quick ? "quick" : "full";
	const atWork = AT_WORK[size];
	// A fleet of its own for each kill: no device of it has been heard of before.
	const silent = 2 * atWork;
	const devices = silent + MARKS[size];
	const log = await newLog(world);
	try {
		world.say(`writing the marks of ${MARKS[size]} devices`);
		const emptySeconds = await fill(world, log, devices, silent);
		world.say("restoring them, and killing the gateway that has");
		const alone = { devices, sink: log.sink(), listen: `${GATEWAYS[0]}:${await freePort()}` };
		const gateway = await BenchGateway.start(world, alone);
		const { restore, restart } = await restarted(world, gateway, alone, { atWork, emptySeconds });
		return { restore, restart, takeover: await takenOver(world, { atWork, devices, log }) };
	} finally {
		await log.remove();
	}
}

type Size = keyof typeof MARKS;

/** Writes the marks through the sink: each device sends a reading. How long a start took with nothing in the log. */
async function fill(world: BenchWorld, log: BenchLog, devices: number, firstDevice: number): Promise<number> {
	const gateway = await BenchGateway.start(world, { devices, sink: log.sink() });
	try {
		await probeAll(world, {
			gateway: gateway.listen,
			devices,
			firstDevice,
			session: 1,
			readingBytes: READING_BYTES,
			frameReadings: 1,
			framesMax: devices - firstDevice,
		});
		return gateway.readySeconds;
	} finally {
		await gateway.stop();
	}
}

interface RestartOptions {
	readonly atWork: number;
	readonly emptySeconds: number;
}

/** Kills the only gateway there is, and starts it again at once. */
async function restarted(
	world: BenchWorld,
	first: BenchGateway,
	options: { readonly devices: number; readonly sink: object; readonly listen: string },
	{ atWork, emptySeconds }: RestartOptions,
): Promise<{ restore: Restore; restart: Kill }> {
	let gateway = first;
	try {
		const { kafka } = await gateway.stats();
		const restore = { marks: kafka.recordsRestored, seconds: gateway.readySeconds, emptySeconds };
		const fleet = {
			devices: 2 * atWork,
			firstWithPower: 0,
			withPower: atWork,
			gateways: [gateway.listen],
		};
		const restart = await withDevices(world, fleet, async () => {
			const killed = performance.now();
			await gateway.kill();
			gateway = await BenchGateway.start(world, options);
			const seconds = (performance.now() - killed) / 1_000;
			// It is ready once all of its claims are committed.
			return { firstSeconds: seconds, lastSeconds: seconds };
		});
		return { restore, restart };
	} finally {
		await gateway.stop();
	}
}

interface TakeoverOptions {
	readonly atWork: number;
	readonly devices: number;
	readonly log: BenchLog;
}

/** Kills one of two gateways; the other one finds out, and takes its shards. */
async function takenOver(
	world: BenchWorld,
	{ atWork, devices, log }: TakeoverOptions,
): Promise<Kill | string> {
	const swarms = await swarmsOf(world);
	if (typeof swarms === "string") {
		return swarms;
	}
	world.say("killing one gateway of two");
	const options = swarms.map((swarm, gateway) => ({
		...{ devices, sink: log.sink(), gateway, gateways: swarms.length, swarm },
		listen: swarm.roster[gateway]?.data ?? "",
	}));
	const gateways: BenchGateway[] = [];
	try {
		const starts = await Promise.allSettled(options.map((each) => BenchGateway.start(world, each)));
		gateways.push(...starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : [])));
		const [killed, survivor] = gateways;
		if (killed === undefined || survivor === undefined) {
			throw starts.find((start) => start.status === "rejected")?.reason;
		}
		const share = SHARDS / swarms.length;
		for (const gateway of gateways) {
			const serves = async () => (await gateway.stats()).gateway.shards === share;
			await gateway.until("does not serve its share", TAKEOVER_MILLIS, serves);
		}
		const fleet = {
			devices: 2 * atWork,
			firstWithPower: atWork,
			withPower: atWork,
			gateways: gateways.map(({ listen }) => listen),
		};
		return await withDevices(world, fleet, () => killOne(killed, survivor, share));
	} finally {
		await Promise.all(gateways.map((gateway) => gateway.stop()));
	}
}

async function killOne(killed: BenchGateway, survivor: BenchGateway, shards: number) {
	const taken = async () => (await survivor.stats()).gateway.takeovers ?? 0;
	const before = await taken();
	const begin = performance.now();
	const seconds = async (count: number) => {
		await survivor.until(
			"takes nothing over",
			TAKEOVER_MILLIS,
			async () => (await taken()) >= before + count,
		);
		return (performance.now() - begin) / 1_000;
	};
	await killed.kill();
	return { firstSeconds: await seconds(1), lastSeconds: await seconds(shards) };
}

/** Lets devices work while something is done to their gateways. */
async function withDevices(
	world: BenchWorld,
	fleet: Parameters<typeof DevicesAtWork.start>[1],
	work: () => Promise<Omit<Kill, "devices">>,
): Promise<Kill> {
	const devices = await DevicesAtWork.start(world, fleet);
	try {
		const end = performance.now() + CONNECT_MILLIS;
		while (!devices.areThere()) {
			if (performance.now() > end) {
				throw new LiveFault("run", "not all devices are connected in time: is the machine busy?");
			}
			await sleep(LOOK_MILLIS);
		}
		const done = await work();
		await sleep(RETURN_SECONDS[world.quick ? "quick" : "full"] * 1_000);
		return { ...done, devices: await devices.report() };
	} finally {
		await devices.stop();
	}
}

const seedSchema = z.strictObject({ signingSeed: z.string(), publicKey: z.string() });

/** The `swarm` of each gateway; or why a build has none. */
async function swarmsOf({ programs }: BenchWorld) {
	const program = join(programs, GATEWAY_PROGRAM);
	try {
		const rows = await Promise.all(
			GATEWAYS.map(async (address, gateway) => {
				const { stdout } = await promisify(execFile)(program, ["--new-signing-seed"]);
				const { signingSeed, publicKey } = parsed(seedSchema, stdout, "the signing seed");
				const [data, gossip] = [`${address}:${await freePort()}`, `${address}:${await freePort()}`];
				return { signingSeed, row: { gateway, gossip, data, publicKey } };
			}),
		);
		const roster = rows.map(({ row }) => row);
		return rows.map(({ signingSeed, row }) => ({
			...{ listen: row.gossip, clusterKey: CLUSTER_KEY, keyEpoch: 0, signingSeed, roster },
		}));
	} catch (error) {
		return `this ${GATEWAY_PROGRAM} knows of no other gateways: ${(error as Error).message.split("\n")[0]}`;
	}
}

/** A UDP port that nobody has at the moment. */
async function freePort(): Promise<number> {
	const socket = createSocket("udp4").bind(0, "127.0.0.1");
	await once(socket, "listening");
	const { port } = socket.address();
	socket.close();
	return port;
}

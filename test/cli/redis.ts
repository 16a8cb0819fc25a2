import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { freePorts } from "../../src/live/broker/free-ports.js";
import { newFolder } from "./support.js";

/** The set-up installs it on Debian. */
export const HAS_REDIS = spawnSync("redis-server", ["--version"]).status === 0;

export interface RedisServer {
	readonly url: string;
	/** A client of its own. */
	readonly client: Redis;
	/** As a crash would end it. */
	kill(): Promise<void>;
	/** Starts it again where it was. */
	start(): Promise<void>;
}

/** A Redis of the test's own, on a free port of the loopback, in memory alone; it goes when the test ends. */
export async function startRedis(): Promise<RedisServer> {
	const [port = 0] = await freePorts(1);
	const folder = newFolder();
	let child: ChildProcess | undefined;
	const client = new Redis(port, "127.0.0.1", { lazyConnect: true, maxRetriesPerRequest: null });
	client.on("error", () => undefined);
	const start = async () => {
		const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
		child = spawn("redis-server", [...args, "--appendonly", "no"], { stdio: "ignore" });
		await client.ping();
	};
	const kill = async () => {
		if (child !== undefined && child.exitCode === null && child.signalCode === null) {
			child.kill("SIGKILL");
			await once(child, "exit");
		}
	};
	onTestFinished(async () => {
		client.disconnect();
		await kill();
	});
	await start();
	return { url: `redis://127.0.0.1:${port}`, client, kill, start };
}

/** Ids of the processes in which a worker simulates; what else it starts, git for instance, does not count. */
export function simulationsOf(worker: number): number[] {
	try {
		const text = readFileSync(`/proc/${worker}/task/${worker}/children`, "utf8");
		const children = text.split(" ").filter((id) => id !== "");
		return children
			.filter((id) => readFileSync(`/proc/${id}/cmdline`, "utf8").includes("job-child"))
			.map(Number);
	} catch {
		// One of them ended while it was looked at.
		return [];
	}
}

export function isAlive(pid: number): boolean {
	try {
		// A zombie that nobody has reaped has ended.
		return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
	} catch {
		return false;
	}
}

/** Waits until a condition holds; fails, saying which, when it does not in time. */
export async function until(
	what: string,
	holds: () => boolean | Promise<boolean>,
	limitMs = 60_000,
): Promise<void> {
	const end = performance.now() + limitMs;
	while (!(await holds())) {
		if (performance.now() > end) {
			throw new Error(`not in ${limitMs} ms: ${what}`);
		}
		await sleep(50);
	}
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child } from "./child.js";
import { type GatewayStats, parseGatewayStats } from "./gateway-stats.js";
import { LiveFault } from "./live-fault.js";
import { GATEWAY_PROGRAM } from "./machine.js";

/** Reached only from within the gateway's namespace, so every gateway may have the same. */
export const ADMIN_ADDRESS = "127.0.0.1:9447";

const READY_MILLIS = 30_000;
const RETRY_MILLIS = 50;
const ASK_MILLIS = 8_000;
const KILL_MILLIS = 5_000;

interface Answer {
	readonly status?: number;
	readonly body?: string;
	readonly error?: string;
}

/** A gateway daemon in its namespace, and the helper that asks it. */
export class GatewayProcess {
	private readonly daemon: Child;
	private readonly admin: Child;
	private readonly waiting: ((answer: Answer) => void)[] = [];

	private constructor(
		readonly gateway: number,
		namespace: string,
		command: readonly [program: string, ...args: string[]],
		onLog: (line: string) => void,
	) {
		const name = `gateway ${gateway}`;
		const [program, ...args] = command;
		this.daemon = new Child(name, namespace, program, args, onLog);
		const helper = fileURLToPath(new URL("./admin-child.js", import.meta.url));
		this.admin = new Child(`${name}'s helper`, namespace, process.execPath, [helper, ADMIN_ADDRESS], (line) =>
			this.waiting.shift()?.(JSON.parse(line) as Answer),
		);
	}

	/** Starts the daemon with its configuration in `folder`; `before` is what it is started by, such as `nice`. */
	static async start(
		gateway: number,
		namespace: string,
		programs: string,
		folder: string,
		config: object,
		before: readonly string[] = [],
	): Promise<GatewayProcess> {
		const file = join(folder, `gateway-${gateway}.json`);
		await writeFile(file, JSON.stringify(config));
		const [program = "", ...args] = [...before, join(programs, GATEWAY_PROGRAM), "--config", file];
		return new GatewayProcess(gateway, namespace, [program, ...args], () => undefined);
	}

	/** Resolves once it serves. Throws a fault of the set-up when it ends before, or takes too long. */
	async ready(): Promise<void> {
		for (let waited = 0; waited < READY_MILLIS; waited += RETRY_MILLIS) {
			this.check("setup");
			const { status } = await this.ask("/ready");
			if (status === 200) {
				return;
			}
			await sleep(RETRY_MILLIS);
		}
		throw new LiveFault("setup", `gateway ${this.gateway} is not ready after ${READY_MILLIS / 1_000} s`);
	}

	/** What it counted so far. */
	async stats(): Promise<GatewayStats> {
		const { status, body = "", error } = await this.ask("/stats");
		if (status !== 200) {
			this.check("run");
			throw new LiveFault("run", `gateway ${this.gateway} does not answer: ${error ?? `status ${status}`}`);
		}
		return parseGatewayStats(body);
	}

	/** The daemon's process id. */
	get pid(): number | undefined {
		return this.daemon.pid;
	}

	/** Throws when it has ended. */
	check(stage: LiveFault["stage"]): void {
		this.daemon.check(stage);
		this.admin.check(stage);
	}

	/** Sends the daemon a signal. */
	signal(signal: "SIGSTOP" | "SIGCONT"): void {
		this.daemon.signal(signal);
	}

	/** Kills the daemon (-9); resolves once it is gone. */
	async kill(): Promise<void> {
		this.daemon.signal("SIGKILL");
		await this.daemon.endsWithin(KILL_MILLIS);
	}

	/** Ends both. */
	async stop(): Promise<void> {
		await Promise.all([this.daemon.stop(), this.admin.stop()]);
	}

	private ask(path: string): Promise<Answer> {
		const answer = new Promise<Answer>((resolve) => {
			this.waiting.push(resolve);
		});
		this.admin.write(path);
		const gone = this.admin.endsWithin(ASK_MILLIS).then((): Answer => ({ error: "no answer" }));
		return Promise.race([answer, gone]);
	}
}

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import type { BrokerFault } from "./broker/broker-fault.js";
import { openBroker } from "./broker/open-broker.js";
import { CLIENT_PROGRAM, type ClientRounds, clientCeilings } from "./kafka-bench-client.js";
import { benchGatewayConfig } from "./kafka-bench-gateway.js";
import { type Hellos, hellos } from "./kafka-bench-hellos.js";
import { type Memory, memory } from "./kafka-bench-memory.js";
import { type RateStep, risingRates } from "./kafka-bench-rates.js";
import { type Takeovers, takeovers } from "./kafka-bench-takeover.js";
import type { BenchWorld } from "./kafka-bench-world.js";
import { FLEET_PROGRAM, GATEWAY_PROGRAM, isExecutable } from "./machine.js";
import { makeRunFolder, removeLeftFolders, removeRunFolder } from "./run-folder.js";

const TRIAL_MILLIS = 10_000;
/** What a machine lacks; every other fault of a broker is one. */
const LACKS: readonly BrokerFault["kind"][] = ["no-java", "no-maven", "no-download"];

/** What was measured; what is not there has failed. */
export interface KafkaBench {
	/** Whose broker it was. */
	readonly broker: string;
	readonly client?: ClientRounds;
	readonly exactlyOnce?: readonly RateStep[];
	readonly withoutTransactions?: readonly RateStep[];
	readonly takeovers?: Takeovers;
	readonly hellos?: Hellos;
	readonly memory?: Memory;
	readonly failures: readonly string[];
}

/** What to measure with. */
export type KafkaBenchOrder = Pick<BenchWorld, "programs" | "quick" | "say">;

/** Why this machine, or these programs, can measure nothing with Kafka; undefined: they can. */
async function refusal(programs: string, folder: string): Promise<UserError | undefined> {
	if (process.platform !== "linux") {
		return { kind: "unsupported", message: `the gateway daemon needs Linux, this is ${process.platform}` };
	}
	for (const name of [GATEWAY_PROGRAM, FLEET_PROGRAM, CLIENT_PROGRAM]) {
		const file = join(programs, name);
		if (!isExecutable(file)) {
			return { kind: "not-found", message: `there is no ${file} (npm run setup:live builds it)` };
		}
	}
	// One that is never started: its broker is none. A build without Kafka does not come so far.
	const file = join(folder, "trial.json");
	const trial = benchGatewayConfig({ devices: 1, sink: { kind: "kafka", brokers: "nowhere" } });
	await writeFile(file, JSON.stringify(trial));
	const said = await lastWordsOf(join(programs, GATEWAY_PROGRAM), file);
	return said.includes("built without Kafka")
		? {
				kind: "unsupported",
				message: "klais-gatewayd is built without Kafka (npm run setup:live builds it with)",
			}
		: undefined;
}

function lastWordsOf(program: string, config: string): Promise<string> {
	return new Promise((resolve) => {
		execFile(program, ["--config", config], { timeout: TRIAL_MILLIS }, (_, __, stderr) => resolve(stderr));
	});
}

/**
 * Measures everything that has to do with Kafka, on loopback. An error says why nothing can be measured here; what fails on the
 * way is among the results, and takes nothing else with it.
 */
export async function benchKafka(order: KafkaBenchOrder): Promise<Result<KafkaBench, UserError>> {
	removeLeftFolders();
	const folder = makeRunFolder();
	const clean = () => removeRunFolder(folder);
	// The last resort where nothing is awaited any more.
	process.once("exit", clean);
	try {
		const refused = await refusal(order.programs, folder);
		return refused === undefined ? await withBroker(order, folder) : err(refused);
	} finally {
		process.off("exit", clean);
		clean();
	}
}

async function withBroker(order: KafkaBenchOrder, folder: string): Promise<Result<KafkaBench, UserError>> {
	const opened = await openBroker(order.say, { measured: !order.quick });
	if (!opened.ok) {
		const { kind, message } = opened.error;
		if (LACKS.includes(kind)) {
			return err({ kind: "unsupported", message });
		}
		throw new Error(message);
	}
	try {
		return ok(await measured({ ...order, folder, broker: opened.value }));
	} finally {
		await opened.value.remove();
	}
}

async function measured(world: BenchWorld): Promise<KafkaBench> {
	const failures: string[] = [];
	const part = async <T>(name: string, work: (world: BenchWorld) => Promise<T>) => {
		const begin = performance.now();
		try {
			return await work({ ...world, say: (text) => world.say(`${name}: ${text}`) });
		} catch (error) {
			failures.push(`${name}: not measured: ${(error as Error).message}`);
			return undefined;
		} finally {
			world.say(`${name}: ${((performance.now() - begin) / 1_000).toFixed(1)} s`);
		}
	};
	const parts = {
		client: await part("client", clientCeilings),
		exactlyOnce: await part("exactly once", (within) => risingRates(within, true)),
		withoutTransactions: await part("without transactions", (within) => risingRates(within, false)),
		takeovers: await part("takeover", takeovers),
		hellos: await part("hellos", hellos),
		memory: await part("memory", memory),
	};
	const there = Object.entries(parts).filter(([, value]) => value !== undefined);
	return { broker: world.broker.kind, ...Object.fromEntries(there), failures };
}

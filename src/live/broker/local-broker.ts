import { rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { err, ok, type Result } from "../../units/result.js";
import { complaint } from "../live-fault.js";
import { makeRunFolder, removeLeftFolders } from "../run-folder.js";
import type { Broker } from "./broker.js";
import { brokerProperties, type Listener } from "./broker-config.js";
import { type BrokerFault, fault } from "./broker-fault.js";
import { BrokerProcess } from "./broker-process.js";
import { freePorts } from "./free-ports.js";
import { type KafkaProgram, kafkaArgs, runKafkaTool } from "./kafka-tool.js";
import { quotaArgs } from "./quotas.js";

/** Heap of a broker that a machine shares with everything else. */
const HEAP = ["-Xms256m", "-Xmx512m", "-XX:+UseG1GC"];
/** Starts faster, and is slower at full load. */
const QUICK = ["-XX:TieredStopAtLevel=1"];
const READY_WORDS = "Kafka Server started";
const READY_MILLIS = 60_000;
const STOP_MILLIS = 20_000;
/** Ports that were free may be taken a moment later. */
const PORT_TRIES = 3;
const LOG_LINES = 5;
/** Every broker of ours is alone in its cluster: one name does for all. */
const CLUSTER_ID = "a2xhaXMtYnJva2VyLTAwMQ";

/** Where and how a local broker runs. */
export interface LocalBrokerOptions {
	/** Of the host, or of the namespace; loopback by default. */
	readonly address?: string;
	/** Clients' port; by default one that is free. The port above it is the controller's then. */
	readonly port?: number;
	readonly namespace?: string;
	/** More places to listen at. */
	readonly listeners?: readonly Listener[];
	/** True: takes longer to start, and is as fast as it can be after that. */
	readonly measured?: boolean;
	/** More of Java's options. */
	readonly javaOptions?: readonly string[];
}

/** A Kafka broker of one node on this machine, its own controller, with data of its own. */
export class LocalBroker implements Broker {
	readonly kind = "local";
	private process: BrokerProcess | undefined;
	private readonly logFile: string;
	private readonly settingsFile: string;

	private constructor(
		private readonly kafka: KafkaProgram,
		private readonly options: LocalBrokerOptions,
		private readonly folder: string,
		/** What clients connect to. */
		readonly bootstrap: string,
	) {
		this.logFile = join(folder, "broker.log");
		this.settingsFile = join(folder, "server.properties");
	}

	/** Formats a data folder and starts a broker in it; resolves once it serves clients. */
	static async start(
		kafka: KafkaProgram,
		options: LocalBrokerOptions = {},
	): Promise<Result<LocalBroker, BrokerFault>> {
		removeLeftFolders();
		for (let attempt = 1; ; attempt += 1) {
			const started = await LocalBroker.startOnce(kafka, options);
			const mayTryAgain = options.port === undefined && attempt < PORT_TRIES;
			if (started.ok || started.error.kind !== "port-taken" || !mayTryAgain) {
				return started;
			}
		}
	}

	private static async startOnce(
		kafka: KafkaProgram,
		options: LocalBrokerOptions,
	): Promise<Result<LocalBroker, BrokerFault>> {
		const { address = "127.0.0.1", port } = options;
		const [own = 0, controller = 0] = port === undefined ? await freePorts(2) : [port, port + 1];
		const folder = makeRunFolder();
		const broker = new LocalBroker(kafka, options, folder, `${address}:${own}`);
		const started = await broker.prepare(controller);
		const fault = started ?? (await broker.start());
		if (fault !== undefined) {
			await broker.remove();
			return err(fault);
		}
		return ok(broker);
	}

	private async prepare(controllerPort: number): Promise<BrokerFault | undefined> {
		const dataFolder = join(this.folder, "kafka");
		await mkdir(dataFolder);
		const own = { name: "CLIENTS", listen: this.bootstrap, advertised: this.bootstrap };
		const listeners = [own, ...(this.options.listeners ?? [])];
		const settings = { dataFolder, listeners, controller: `127.0.0.1:${controllerPort}` };
		await writeFile(this.settingsFile, brokerProperties(settings));
		const args = ["format", "-t", CLUSTER_ID, "-c", this.settingsFile];
		const said = await runKafkaTool(this.kafka, undefined, "kafka.tools.StorageTool", args);
		return said === undefined
			? undefined
			: fault("not-ready", `Kafka could not format its data folder: ${complaint(said)}`);
	}

	/** Starts it, again if it was stopped or killed, on the data that it had. Undefined once it serves clients. */
	async start(): Promise<BrokerFault | undefined> {
		const { namespace, measured = false, javaOptions = [] } = this.options;
		const options = [...HEAP, ...(measured ? [] : QUICK), ...javaOptions];
		const args = kafkaArgs(this.kafka, options, "kafka.Kafka", [this.settingsFile]);
		const program = this.kafka.java.program;
		this.process = new BrokerProcess({ program, args, namespace, logFile: this.logFile });
		if (await this.process.says(READY_WORDS, READY_MILLIS)) {
			return undefined;
		}
		return this.startFault(this.process);
	}

	private startFault(process: BrokerProcess): BrokerFault {
		const log = process.tail();
		if (/BindException|Address already in use/.test(log)) {
			return fault(
				"port-taken",
				`a port of the Kafka broker ${this.bootstrap} is taken: another program listens there`,
			);
		}
		const how = process.ended ?? `not ready after ${READY_MILLIS / 1_000} s`;
		const lines = log.trimEnd().split("\n").slice(-LOG_LINES).join("\n");
		return fault("not-ready", `the Kafka broker did not start (${how}): ${complaint(lines)}`);
	}

	/** The broker's process id; undefined while none runs. */
	get pid(): number | undefined {
		return this.isRunning ? this.process?.pid : undefined;
	}

	get isRunning(): boolean {
		return this.process !== undefined && this.process.ended === undefined;
	}

	/** Stops it in good order. Its data stay. */
	async stop(): Promise<void> {
		this.process?.signal("SIGTERM");
		if (this.process !== undefined && !(await this.process.endsWithin(STOP_MILLIS))) {
			await this.kill();
		}
	}

	/** Kills it (-9). Its data stay. */
	async kill(): Promise<void> {
		this.process?.signal("SIGKILL");
		await this.process?.endsWithin(STOP_MILLIS);
	}

	/** Suspends or resumes its process. */
	signal(signal: "SIGSTOP" | "SIGCONT"): void {
		this.process?.signal(signal);
	}

	async limitProducers(bytesPerSecond: number | null, clientId?: string): Promise<BrokerFault | undefined> {
		const args = quotaArgs(this.bootstrap, bytesPerSecond, clientId);
		const said = await runKafkaTool(this.kafka, this.options.namespace, "kafka.admin.ConfigCommand", args);
		return said === undefined
			? undefined
			: fault("refused", `the quota could not be set: ${complaint(said)}`);
	}

	/** Ends it for good, and removes its data. */
	async remove(): Promise<void> {
		await this.kill();
		rmSync(this.folder, { recursive: true, force: true });
	}
}

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { freePorts } from "../../../src/live/broker/free-ports.js";
import { LocalBroker } from "../../../src/live/broker/local-broker.js";
import { openBroker } from "../../../src/live/broker/open-broker.js";
import {
	createTopics,
	kafkaClient,
	reachBroker,
	removeTopics,
	TOPICS,
} from "../../../src/live/broker/topics.js";
import { isAlive } from "../../../src/live/namespaces.js";
import { PROJECT } from "../../cli/support.js";
import { because } from "../support.js";
import { kafkaHere, NO_KAFKA, startBroker } from "./support.js";

const topic = TOPICS.readings;
/** A broker that has just come back has yet to take its partitions up. */
const SOON = { timeout: 10_000, interval: 100 };

async function produce(client: Kafka, values: readonly (string | Buffer)[]): Promise<void> {
	const producer = client.producer();
	await producer.connect();
	await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
	await producer.disconnect();
}

async function storedIn(client: Kafka): Promise<number> {
	const admin = client.admin();
	await admin.connect();
	const offsets = await admin.fetchTopicOffsets(topic);
	await admin.disconnect();
	return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

afterEach(() => vi.unstubAllEnvs());

describe.skipIf(NO_KAFKA !== "")(`a Kafka broker of our own${because(NO_KAFKA)}`, () => {
	test("keeps its data over kill -9 and stop, and leaves nothing behind", async () => {
		const broker = await startBroker();
		const { bootstrap } = broker;
		expect(await createTopics(bootstrap, 3)).toEqual({ ok: true });
		const client = kafkaClient(bootstrap);
		await produce(client, ["a", "b"]);

		await broker.kill();
		expect(broker.isRunning).toBe(false);
		expect(await reachBroker(bootstrap)).toMatchObject({ kind: "unreachable" });
		expect(await broker.start()).toBeUndefined();
		await expect.poll(() => storedIn(client), SOON).toBe(2);
		await produce(client, ["c"]);

		await broker.stop();
		expect(await broker.start()).toBeUndefined();
		await expect.poll(() => storedIn(client), SOON).toBe(3);
		expect(await createTopics(bootstrap, 3)).toEqual({ ok: true });
		expect(await createTopics(bootstrap, 4)).toMatchObject({
			error: {
				kind: "refused",
				message: expect.stringMatching(/the topic klais-\w+ has 3 partitions, not 4/),
			},
		});
		expect(await removeTopics(bootstrap)).toEqual({ ok: true });

		vi.stubEnv("KLAIS_KAFKA", bootstrap);
		expect(await openBroker(() => undefined)).toMatchObject({ value: { kind: "given", bootstrap } });
		const { pid } = broker;
		await broker.remove();
		expect(isAlive(pid ?? 0)).toBe(false);
		expect(await openBroker(() => undefined)).toMatchObject({
			error: { kind: "unreachable", message: expect.stringMatching(/^KLAIS_KAFKA: .* does not answer/) },
		});
	});

	test("throttles producers beyond a quota, and no more once it is lifted", async () => {
		const broker = await startBroker();
		await createTopics(broker.bootstrap, 1);
		const producer = kafkaClient(broker.bootstrap).producer();
		await producer.connect();
		onTestFinished(() => producer.disconnect());
		const value = Buffer.alloc(100_000);
		const millis = async () => {
			const started = process.hrtime.bigint();
			// What the first request went beyond, the second has to wait for.
			await producer.send({ topic, messages: [{ value }] });
			await producer.send({ topic, messages: [{ value }] });
			return Number(process.hrtime.bigint() - started) / 1e6;
		};
		await millis();
		// Other work on this machine may hold up one of them.
		const free = Math.min(await millis(), await millis(), await millis());
		expect(await broker.limitProducers(9_000)).toBeUndefined();
		const limited = await millis();
		expect(await broker.limitProducers(null)).toBeUndefined();
		expect(limited).toBeGreaterThan(free + 500);
		expect(await broker.limitProducers(-5)).toMatchObject({ kind: "refused" });
	});

	test("says that its port is taken", async () => {
		const [port = 0] = await freePorts(1);
		const squatter = createServer().listen(port, "127.0.0.1");
		onTestFinished(() => void squatter.close());
		expect(await LocalBroker.start(kafkaHere(), { port })).toMatchObject({
			error: { kind: "port-taken", message: expect.stringContaining(`127.0.0.1:${port} is taken`) },
		});
	});

	test("says why it did not start", async () => {
		expect(await LocalBroker.start(kafkaHere(), { javaOptions: ["-Xmx1k"] })).toMatchObject({
			error: { kind: "not-ready", message: expect.stringMatching(/\(exit code 1\): .*heap/) },
		});
	});

	test("ends with the process that started it, however that ends", async () => {
		const script =
			'const { openBroker } = await import("./dist/live/broker/open-broker.js");' +
			"const { value } = await openBroker(() => undefined); console.log(value.pid, value.folder); setInterval(() => {}, 1e6);";
		const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
			cwd: PROJECT,
			env: { ...process.env, KLAIS_BROKER: "local", KLAIS_KAFKA: "" },
			stdio: ["ignore", "pipe", "inherit"],
		});
		onTestFinished(() => void child.kill("SIGKILL"));
		const line = await new Promise<string>((resolve) =>
			child.stdout.once("data", (text) => resolve(String(text))),
		);
		const [pid = 0, folder = ""] = line.trim().split(" ");
		expect(readFileSync(`/proc/${pid}/cmdline`, "latin1")).toContain("kafka.Kafka");
		child.kill("SIGKILL");
		for (let waited = 0; isAlive(Number(pid)) && waited < 5_000; waited += 20) {
			await sleep(20);
		}
		expect(isAlive(Number(pid))).toBe(false);
		// What it wrote goes when the next one starts.
		expect(existsSync(folder)).toBe(true);
		await startBroker();
		expect(existsSync(folder)).toBe(false);
	});
});

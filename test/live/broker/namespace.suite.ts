import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { buildTopology, removeTopology } from "../../../src/live/namespaces.js";
import { inNamespace } from "../../../src/live/tools.js";
import { topologyOf } from "../../../src/live/topology.js";
import { because, NO_NAMESPACES } from "../support.js";
import { NO_KAFKA, startBroker } from "./support.js";

const reason = [NO_NAMESPACES, NO_KAFKA].filter((each) => each !== "").join("; ");

describe.skipIf(reason !== "")(`a broker in a network namespace${because(reason)}`, () => {
	test("serves who has a cable to it, under the address there, and nobody else", async () => {
		const topology = topologyOf(process.pid, 1);
		onTestFinished(() => removeTopology(topology));
		await buildTopology(topology);
		const [place] = topology.gateways;
		const { namespace = "", address = "" } = place ?? {};
		const broker = await startBroker({ namespace, address, port: 9_092 });
		expect(broker.bootstrap).toBe("10.77.0.1:9092");
		const ask =
			'const { Kafka, logLevel } = require("kafkajs");' +
			'const admin = new Kafka({ brokers: ["10.77.0.1:9092"], logLevel: logLevel.NOTHING }).admin();' +
			"admin.connect().then(() => admin.describeCluster()).then(async ({ brokers }) => {" +
			"await admin.disconnect(); console.log(JSON.stringify(brokers)); })";
		const { program, args } = inNamespace(topology.fleet, process.execPath, ["-e", ask]);
		const brokers = execFileSync(program, args, { encoding: "utf8", timeout: 30_000 });
		expect(JSON.parse(brokers)).toEqual([{ nodeId: 1, host: "10.77.0.1", port: 9_092 }]);
		expect(await broker.limitProducers(1_000_000)).toBeUndefined();

		const outside = connect({ host: "127.0.0.1", port: 9_092 });
		const refused = await new Promise((resolve) => {
			outside.once("connect", () => resolve("connected"));
			outside.once("error", ({ message }) => resolve(message));
		});
		outside.destroy();
		expect(refused).toContain("ECONNREFUSED");
	});
});

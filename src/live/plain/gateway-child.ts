// A plain gateway, in the namespace of a gateway: its argument is a file with a `PlainGatewayConfig`. Takes devices' requests
// over TCP, and writes their readings with one kafkajs producer. Says `{ "ready": true }`. On SIGTERM it writes what it has
// taken, and ends; it ends at once when its input does.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { parsed } from "../parsed.js";
import { PlainBridge } from "./plain-bridge.js";
import { plainGatewayConfigSchema } from "./plain-config.js";
import { messageOf } from "./plain-message.js";
import { onRequests } from "./wire.js";

const END_MILLIS = 8_000;

const file = process.argv[2] ?? "";
const config = parsed(plainGatewayConfigSchema, readFileSync(file, "utf8"), file);
const { topic, partitions, idempotent, maxInFlightRequests } = config;
// Retries, time-outs and pauses are kafkajs's own.
const kafka = new Kafka({
	clientId: config.clientId,
	brokers: [config.broker],
	logLevel: logLevel.NOTHING,
});
const producer = kafka.producer({
	idempotent,
	...(maxInFlightRequests === null ? {} : { maxInFlightRequests }),
});
await producer.connect();
const bridge = new PlainBridge(config.bridge, {
	send: async (readings) => {
		const messages = readings.map((reading) => messageOf(reading, partitions));
		await producer.send({ topic, acks: -1, messages });
	},
	after: (millis, work) => setTimeout(work, millis),
});

const server = createServer({ noDelay: true }, (socket) => {
	socket.on("error", () => undefined);
	onRequests(socket, ({ id, device, readings }) => {
		const taken = readings.map(([index, takenMillis, value]) => ({
			device,
			index,
			takenMillis,
			value: Buffer.from(value, "base64"),
		}));
		bridge.take(taken, (isStored) => {
			if (!socket.destroyed) {
				socket.write(`${JSON.stringify({ id, isStored })}\n`);
			}
		});
	});
});
server.listen(config.listen, () => process.stdout.write(`${JSON.stringify({ ready: true })}\n`));

process.stdin.on("end", () => process.exit(1)).resume();
process.on("SIGTERM", async () => {
	server.close();
	await Promise.race([bridge.idle(), sleep(END_MILLIS)]);
	await Promise.race([producer.disconnect(), sleep(1_000)]);
	process.exit(0);
});

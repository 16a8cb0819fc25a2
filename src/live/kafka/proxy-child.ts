// Stands between gateways and a broker, in the broker's namespace, and can hold back ends of transactions. Its argument is JSON:
// an array of `{ "listen": "host:port", "target": "host:port" }`. Takes lines: the number of a door and how many milliseconds
// an EndTxn waits there from now on, 0 for none. Says `{ "ready": true }`, and for each EndTxn that is held `{ "held": door }`.
// It ends with its input.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { RequestGate } from "./request-gate.js";

interface Door {
	readonly listen: string;
	readonly target: string;
}

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const doors = JSON.parse(process.argv[2] ?? "[]") as Door[];
const delays = doors.map(() => 0);

function placeOf(address: string): { host: string; port: number } {
	const colon = address.lastIndexOf(":");
	return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

function join(client: Socket, door: number, target: string): void {
	const broker = connect({ ...placeOf(target), noDelay: true });
	const gate = new RequestGate({
		write: (bytes) => {
			if (!broker.write(bytes)) {
				client.pause();
			}
		},
		delayMillis: () => delays[door] ?? 0,
		after: (millis, work) => setTimeout(work, millis),
		held: () => say({ held: door }),
		overflow: () => client.destroy(),
	});
	client.on("data", (chunk: Buffer) => gate.take(chunk));
	broker.on("drain", () => client.resume());
	broker.on("data", (chunk: Buffer) => {
		if (!client.destroyed && !client.write(chunk)) {
			broker.pause();
		}
	});
	client.on("drain", () => broker.resume());
	// Whoever has sent a request that is held may be gone long before it gets to the broker.
	client.on("close", () => {
		broker.resume();
		gate.end(() => broker.end());
	});
	broker.on("close", () => client.destroy());
	client.on("error", () => undefined);
	broker.on("error", () => undefined);
}

for (const [door, { listen, target }] of doors.entries()) {
	const server = createServer({ noDelay: true }, (client) => join(client, door, target));
	server.listen(placeOf(listen));
	await once(server, "listening");
}
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
	const [door = 0, millis = 0] = line.split(" ").map(Number);
	delays[door] = millis;
}
process.exit(0);

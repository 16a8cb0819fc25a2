import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { kafkaVersion } from "../../../src/live/broker/kafka-files.js";
import { openBroker } from "../../../src/live/broker/open-broker.js";
import { newFolder } from "../../cli/support.js";

// A file of its own: Testcontainers asks for Docker once per process.

const DAEMON: Readonly<Record<string, object>> = {
	"/info": { ServerVersion: "28.0.0", OperatingSystem: "none", OSType: "linux", NCPU: 1 },
	"/networks/bridge": { IPAM: { Config: [{ Gateway: "127.0.0.1" }] } },
};

/** A Docker daemon that is there, and has and gets no image. */
function refusing(asked: string[]): RequestListener {
	return ({ url = "" }, response) => {
		asked.push(url);
		response.setHeader("content-type", "application/json");
		const answer = DAEMON[url];
		response.statusCode = answer === undefined ? 500 : 200;
		response.end(JSON.stringify(answer ?? { message: "no space left on device" }));
	};
}

afterEach(() => vi.unstubAllEnvs());

test("Docker that is there and cannot start a broker is a fault: nothing else is tried", async () => {
	const asked: string[] = [];
	const socket = join(newFolder(), "docker.sock");
	const daemon = createServer(refusing(asked)).listen(socket);
	onTestFinished(() => void daemon.close());
	vi.stubEnv("DOCKER_HOST", `unix://${socket}`);
	vi.stubEnv("KLAIS_KAFKA", "");
	vi.stubEnv("KLAIS_BROKER", "");
	const opened = await openBroker(() => undefined);
	expect(asked.filter((url) => url.includes("kafka")).length, asked.join(" ")).toBeGreaterThan(0);
	const message = `Docker could not start apache/kafka:${kafkaVersion()}: `;
	expect(opened).toMatchObject({ error: { kind: "container", message: expect.stringContaining(message) } });
});

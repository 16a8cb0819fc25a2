import { BenchGateway } from "./kafka-bench-gateway.js";
import { probeAll } from "./kafka-bench-probe.js";
import { residentBytesOf } from "./kafka-bench-process.js";
import { type BenchWorld, newLog } from "./kafka-bench-world.js";
import { LiveFault } from "./live-fault.js";

const DEVICES = { full: 10_000_000, quick: 100_000 };
/** The same gateway with hardly any, which sends so much that its sink has taken what memory it takes. */
const FEW_DEVICES = 1_000;
const FEW_FRAMES = { full: 300_000, quick: 20_000 };
const READING_BYTES = 12;

/** What a gateway takes by the operating system's count, once every device has sent something. */
export interface Memory {
	readonly devices: number;
	readonly bytes: number;
	readonly fewDevices: number;
	readonly fewBytes: number;
	readonly perDeviceBytes: number;
}

/** Measures a gateway with a large fleet, and the same one with a small one. */
export async function memory(world: BenchWorld): Promise<Memory> {
	const size = world.quick ? "quick" : "full";
	const devices = DEVICES[size];
	world.say(`${FEW_DEVICES} devices send`);
	const fewBytes = await resident(world, FEW_DEVICES, FEW_FRAMES[size]);
	world.say(`${devices} devices send, once each`);
	const bytes = await resident(world, devices, devices);
	const perDeviceBytes = (bytes - fewBytes) / (devices - FEW_DEVICES);
	return { devices, bytes, fewDevices: FEW_DEVICES, fewBytes, perDeviceBytes };
}

async function resident(world: BenchWorld, devices: number, framesMax: number): Promise<number> {
	const log = await newLog(world);
	try {
		const gateway = await BenchGateway.start(world, { devices, sink: log.sink() });
		try {
			await probeAll(world, {
				gateway: gateway.listen,
				devices,
				session: 1,
				readingBytes: READING_BYTES,
				frameReadings: 1,
				framesMax,
			});
			await gateway.drained();
			const bytes = await residentBytesOf(gateway.pid);
			if (bytes === null) {
				throw new LiveFault("run", "the system does not say what memory a process takes");
			}
			return bytes;
		} finally {
			await gateway.stop();
		}
	} finally {
		await log.remove();
	}
}

// The hold model on the engine's own wheels: `node hold-child.js PENDING TICKS WARM_TICKS` (see SampleProcess).
import { createInterface } from "node:readline";
import { DEVICE, INTS, RecordBuffer } from "../../engine/record-layout.js";
import { SHARD_DEVICES, ShardWheels } from "../../engine/shard-wheels.js";
import { holdDelays } from "./hold-delays.js";

/** Every timer that fires is armed again, some ticks later. */
class Hold {
	private readonly delays = holdDelays();
	private readonly wheels: ShardWheels;
	private readonly due = new RecordBuffer(SHARD_DEVICES);
	private draws = 0;
	private tick = 0;

	constructor(pending: number) {
		this.wheels = new ShardWheels(pending);
		for (let device = 0; device < pending; device++) {
			this.wheels.arm(device, this.delay());
		}
	}

	/** Advances by so many ticks: how many timers fired. */
	advance(ticks: number): number {
		const { wheels, due } = this;
		let events = 0;
		for (const end = this.tick + ticks; this.tick < end; this.tick++) {
			for (let shard = 0; shard < wheels.shards; shard++) {
				if ((wheels.attention[shard] as number) > this.tick) {
					continue;
				}
				const count = wheels.collect(shard, this.tick, this.tick, due, 0);
				wheels.attention[shard] = wheels.nextSlice(shard);
				for (let n = 0; n < count; n++) {
					wheels.arm(due.ints[n * INTS + DEVICE] as number, this.tick + this.delay());
				}
				events += count;
			}
		}
		return events;
	}

	private delay(): number {
		this.draws = (this.draws + 1) & (this.delays.length - 1);
		return this.delays[this.draws] as number;
	}
}

const [pending = 0, ticks = 0, warm = 0] = process.argv.slice(2).map(Number);
const hold = new Hold(pending);
hold.advance(warm);
console.log("{}");
for await (const _ of createInterface({ input: process.stdin })) {
	const before = process.cpuUsage();
	const events = hold.advance(ticks);
	const { user, system } = process.cpuUsage(before);
	console.log(JSON.stringify({ events, cpuMicros: user + system }));
}

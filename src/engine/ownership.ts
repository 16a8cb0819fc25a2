/**
 * Who owns which devices, as `native/gateway` deals them out: a device belongs to shard `device % shards`, and a shard's
 * home is gateway `shard % gateways`. While that one is away, others have it.
 */
export class Ownership {
	constructor(
		readonly devices: number,
		/** As many as the topic has partitions: a shard's readings are in one of them. */
		readonly shards: number,
		readonly gateways: number,
	) {}

	shardOf(device: number): number {
		return device % this.shards;
	}

	/** The gateway that has a device when all are well. */
	homeOf(device: number): number {
		return (device % this.shards) % this.gateways;
	}

	/** Devices of one shard. */
	devicesIn(shard: number): number {
		return Math.max(0, Math.ceil((this.devices - shard) / this.shards));
	}

	/** Devices whose home is a gateway. */
	devicesAt(home: number): number {
		let devices = 0;
		for (let shard = home; shard < this.shards; shard += this.gateways) {
			devices += this.devicesIn(shard);
		}
		return devices;
	}
}

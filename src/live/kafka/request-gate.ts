/** The API key of EndTxn: the request that commits or aborts a transaction. */
const END_TXN = 26;
const LENGTH_BYTES = 4;
/** Length and API key. */
const HEAD_BYTES = 6;
/** Kafka's own limit of a request (`socket.request.max.bytes`), and a few behind it. */
const HELD_BYTES_MAX = 256 << 20;

/** Where a connection's requests go, and how late ends of transactions are at present. */
export interface GateWorld {
	write(bytes: Buffer): void;
	/** Milliseconds; 0: they pass at once. */
	delayMillis(): number;
	/** Calls back after so long. */
	after(millis: number, work: () => void): void;
	/** An EndTxn is held. */
	held(): void;
	/** More is held than there may be. */
	overflow(): void;
}

/**
 * One direction of a connection to Kafka: requests pass in their order, but an EndTxn may have to wait, and all that comes after
 * it behind it. What is held is sent in the end, whether its sender still listens or not: so a request arrives long after
 * whoever sent it has given it up.
 */
export class RequestGate {
	/** Bytes of the present request that are still to come. */
	private left = 0;
	/** The beginning of a head that was cut. */
	private head: Buffer = Buffer.alloc(0);
	private readonly waiting: Buffer[] = [];
	private waitingBytes = 0;
	private isHeld = false;
	private whenEmpty: (() => void) | undefined;

	constructor(private readonly world: GateWorld) {}

	/** Takes what the client sends, in whatever pieces. */
	take(chunk: Buffer): void {
		let bytes = this.head.length === 0 ? chunk : Buffer.concat([this.head, chunk]);
		this.head = Buffer.alloc(0);
		while (bytes.length > 0) {
			if (this.left === 0) {
				if (bytes.length < HEAD_BYTES) {
					this.head = bytes;
					return;
				}
				this.begin(bytes.readInt32BE(0), bytes.readInt16BE(LENGTH_BYTES));
			}
			const part = bytes.subarray(0, this.left);
			this.left -= part.length;
			bytes = bytes.subarray(part.length);
			this.pass(part);
		}
	}

	/** Calls back once nothing is held: at once, if nothing is. */
	end(work: () => void): void {
		if (this.isHeld) {
			this.whenEmpty = work;
		} else {
			work();
		}
	}

	private begin(length: number, apiKey: number): void {
		this.left = LENGTH_BYTES + Math.max(HEAD_BYTES - LENGTH_BYTES, length);
		const delay = this.world.delayMillis();
		if (apiKey === END_TXN && delay > 0 && !this.isHeld) {
			this.isHeld = true;
			this.world.held();
			this.world.after(delay, () => this.release());
		}
	}

	private pass(part: Buffer): void {
		if (!this.isHeld) {
			this.world.write(part);
			return;
		}
		this.waiting.push(part);
		this.waitingBytes += part.length;
		if (this.waitingBytes > HELD_BYTES_MAX) {
			this.world.overflow();
		}
	}

	private release(): void {
		this.isHeld = false;
		for (const part of this.waiting.splice(0)) {
			this.world.write(part);
		}
		this.waitingBytes = 0;
		this.whenEmpty?.();
	}
}

/** 64 bits as two halves, each unsigned 32 bits: three times as fast as a BigInt, and a witness needs millions. */
interface Word {
	high: number;
	low: number;
}

// SplitMix64's constants (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
const STEP: Readonly<Word> = { high: 0x9e3779b9, low: 0x7f4a7c15 };
const FIRST: Readonly<Word> = { high: 0xbf58476d, low: 0x1ce4e5b9 };
const SECOND: Readonly<Word> = { high: 0x94d049bb, low: 0x133111eb };
/** ASCII `payl`. */
const PURPOSE = 0x7061796c;
const WORD_BYTES = 8;

/**
 * What devices' readings hold, worked out from `docs/fleet.md` alone: whoever wrote them into Kafka has no part in it. The
 * device's share of the work is kept for its next reading.
 */
export class ReadingBytes {
	private device = -1;
	private readonly ofDevice: Word = { high: 0, low: 0 };
	private readonly ofIndex: Word = { high: 0, low: 0 };
	private readonly word: Word = { high: 0, low: 0 };

	/** `bytes` is the size of a reading. */
	constructor(private readonly bytes: number) {}

	/** Whether `value` is what `device` took as its reading `index`. */
	matches(device: number, index: number, value: Buffer): boolean {
		if (value.length !== this.bytes) {
			return false;
		}
		this.begin(device, index);
		for (let place = 0; place < this.bytes; place += WORD_BYTES) {
			const { high, low } = this.next(place / WORD_BYTES);
			if (place + WORD_BYTES > this.bytes) {
				return this.endMatches(place, value);
			}
			if (value.readUInt32BE(place) !== high || value.readUInt32BE(place + 4) !== low) {
				return false;
			}
		}
		return true;
	}

	/** The bytes of a reading. */
	of(device: number, index: number): Buffer {
		const value = Buffer.alloc(Math.ceil(this.bytes / WORD_BYTES) * WORD_BYTES);
		this.begin(device, index);
		for (let place = 0; place < this.bytes; place += WORD_BYTES) {
			const { high, low } = this.next(place / WORD_BYTES);
			value.writeUInt32BE(high, place);
			value.writeUInt32BE(low, place + 4);
		}
		return value.subarray(0, this.bytes);
	}

	/** The last word is cut where the reading ends. */
	private endMatches(place: number, value: Buffer): boolean {
		const { high, low } = this.word;
		for (let n = 0; place + n < this.bytes; n += 1) {
			const byte = n < 4 ? high >>> (24 - 8 * n) : low >>> (56 - 8 * n);
			if (value[place + n] !== (byte & 0xff)) {
				return false;
			}
		}
		return true;
	}

	private begin(device: number, index: number): void {
		if (device !== this.device) {
			this.device = device;
			const word = { high: 0, low: PURPOSE };
			multiply(word, STEP);
			word.low = (word.low ^ device) >>> 0;
			mix(word, this.ofDevice);
		}
		const { high, low } = this.ofDevice;
		this.ofIndex.high = high;
		this.ofIndex.low = (low ^ index) >>> 0;
		mix(this.ofIndex, this.ofIndex);
	}

	private next(number: number): Readonly<Word> {
		this.word.high = this.ofIndex.high;
		this.word.low = (this.ofIndex.low ^ number) >>> 0;
		mix(this.word, this.word);
		return this.word;
	}
}

/** SplitMix64's finaliser, from one word into another, which may be the same. */
function mix(from: Readonly<Word>, into: Word): void {
	const low = from.low + STEP.low;
	into.high = (from.high + STEP.high + (low > 0xffffffff ? 1 : 0)) >>> 0;
	into.low = low >>> 0;
	shift(into, 30);
	multiply(into, FIRST);
	shift(into, 27);
	multiply(into, SECOND);
	shift(into, 31);
}

/** word ^= word >> bits */
function shift(word: Word, bits: number): void {
	word.low = (word.low ^ ((word.low >>> bits) | (word.high << (32 - bits)))) >>> 0;
	word.high = (word.high ^ (word.high >>> bits)) >>> 0;
}

/** word *= by, the low 64 bits of it. */
function multiply(word: Word, by: Readonly<Word>): void {
	const { high, low } = word;
	const [a1, a0, b1, b0] = [low >>> 16, low & 0xffff, by.low >>> 16, by.low & 0xffff];
	// Partial products of 16 bits: their sums stay below 2^53.
	const middle = a1 * b0 + a0 * b1 + Math.floor((a0 * b0) / 0x10000);
	const carried = a1 * b1 + Math.floor(middle / 0x10000);
	word.high = (carried + Math.imul(high, by.low) + Math.imul(low, by.high)) >>> 0;
	word.low = Math.imul(low, by.low) >>> 0;
}

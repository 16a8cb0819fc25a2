const MASK = (1n << 64n) - 1n;

/** v0 to v3 of the paper. */
type State = [bigint, bigint, bigint, bigint];

const add = (a: bigint, b: bigint) => (a + b) & MASK;
const rotate = (word: bigint, bits: bigint) => ((word << bits) | (word >> (64n - bits))) & MASK;

function rounds(v: State, count: number): void {
	for (let n = 0; n < count; n++) {
		v[0] = add(v[0], v[1]);
		v[1] = rotate(v[1], 13n) ^ v[0];
		v[0] = rotate(v[0], 32n);
		v[2] = add(v[2], v[3]);
		v[3] = rotate(v[3], 16n) ^ v[2];
		v[0] = add(v[0], v[3]);
		v[3] = rotate(v[3], 21n) ^ v[0];
		v[2] = add(v[2], v[1]);
		v[1] = rotate(v[1], 17n) ^ v[2];
		v[2] = rotate(v[2], 32n);
	}
}

/**
 * SipHash-2-4 with 128 bits of output, after the paper (Aumasson, Bernstein, 2012) and its authors' reference code.
 * Written for the tests, from no code of ours.
 */
export function sipHash128(key: Buffer, message: Buffer): Buffer {
	const [k0, k1] = [key.readBigUInt64LE(0), key.readBigUInt64LE(8)];
	const v: State = [
		k0 ^ 0x736f6d6570736575n,
		k1 ^ 0x646f72616e646f6dn ^ 0xeen,
		k0 ^ 0x6c7967656e657261n,
		k1 ^ 0x7465646279746573n,
	];
	const padded = Buffer.alloc((Math.floor(message.length / 8) + 1) * 8);
	message.copy(padded);
	padded[padded.length - 1] = message.length & 0xff;
	for (let at = 0; at < padded.length; at += 8) {
		const word = padded.readBigUInt64LE(at);
		v[3] ^= word;
		rounds(v, 2);
		v[0] ^= word;
	}
	const tag = Buffer.alloc(16);
	v[2] ^= 0xeen;
	rounds(v, 4);
	tag.writeBigUInt64LE(v[0] ^ v[1] ^ v[2] ^ v[3], 0);
	v[1] ^= 0xddn;
	rounds(v, 4);
	tag.writeBigUInt64LE(v[0] ^ v[1] ^ v[2] ^ v[3], 8);
	return tag;
}

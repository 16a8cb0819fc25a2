import { writeFile } from "node:fs/promises";

const NUMBERS = 6;
const NUMBER_BYTES = 4;

/** What a plain device says of its readings. */
interface PlainAccount {
	readonly taken: number;
	readonly held: number;
	readonly lostOverflow: number;
	readonly lostVolatile: number;
	/** A bit for every reading that was acknowledged. */
	readonly acknowledged: Uint8Array;
}

/** Writes the fleet's ledger as `docs/fleet.md` describes it. Plain devices have no marks: theirs are 0. */
export async function writeLedger(
	file: string,
	readings: number,
	accounts: readonly PlainAccount[],
): Promise<void> {
	const header = JSON.stringify({ schema: "klais.ledger/1", devices: accounts.length, readings });
	const rows = accounts.map(({ taken, held, lostOverflow, lostVolatile, acknowledged }) => {
		const numbers = Buffer.alloc(NUMBERS * NUMBER_BYTES);
		for (const [place, value] of [0, 0, taken, held, lostOverflow, lostVolatile].entries()) {
			numbers.writeUInt32BE(value, place * NUMBER_BYTES);
		}
		return Buffer.concat([numbers, acknowledged]);
	});
	await writeFile(file, Buffer.concat([Buffer.from(`${header}\n`), ...rows]));
}

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fleetLedger } from "../../../src/live/witness/fleet-ledger.js";
import { ReadingBytes } from "../../../src/live/witness/reading-bytes.js";
import { addFault, EXAMPLES_MAX, emptyTally, summed } from "../../../src/live/witness/tally.js";
import { newFolder } from "../../cli/support.js";
import { DEVICES, ledgerFile, READINGS } from "./support.js";

// The same vectors are in native/fleet/src/payload.rs; a third program made them.
test.each([
	[0, 0, "d510511b6c373f55ad82bc64877c3a11"],
	[7, 10, "4d64f17cc367df8710cb8f2b"],
	[999_999, 134_217_726, "4b2af1b0ad2e282bd8f821f6a01155dc1b1860e527"],
])("reading bytes of device %i, reading %i", (device, index, hex) => {
	const value = Buffer.from(hex, "hex");
	const bytes = new ReadingBytes(value.length);
	expect(bytes.of(device, index).toString("hex")).toBe(hex);
	expect(bytes.matches(device, index, value)).toBe(true);
	expect(bytes.matches(device, index + 1, value)).toBe(false);
	expect(bytes.matches(device + 1, index, value)).toBe(false);
	expect(bytes.matches(device, index, value)).toBe(true);
});

async function ledgerOf(file: string) {
	const rows = [];
	for await (const { acknowledged, ...row } of fleetLedger(file, { devices: DEVICES, readings: READINGS })) {
		rows.push({ ...row, acknowledged: Buffer.from(acknowledged).toString("hex") });
	}
	return rows;
}

function file(text: string | Buffer): string {
	const path = join(newFolder(), "ledger.bin");
	writeFileSync(path, text);
	return path;
}

test("a ledger comes back device by device", async () => {
	const rows = await ledgerOf(ledgerFile({ 3: { acknowledged: [0, 9, 19], held: 4, lostOverflow: 2 } }));
	expect(rows.length).toBe(DEVICES);
	const same = { liveMark: 10, backfillMark: 20, produced: 20, lostVolatile: 0 };
	expect(rows[0]).toEqual({ ...same, device: 0, held: 0, lostOverflow: 0, acknowledged: "ffff0f" });
	expect(rows[3]).toEqual({ ...same, device: 3, held: 4, lostOverflow: 2, acknowledged: "010208" });
});

test.each([
	["", /ends too early/],
	["{}", /ends too early/],
	["{}\n", /schema/],
	["x".repeat(5_000), /JSON/],
	['{"schema":"klais.ledger/1","devices":10,"readings":20}\n', /ends too early, or too late: after 0/],
	['{"schema":"klais.ledger/1","devices":10,"readings":20}\nx', /after 0/],
	[`{"schema":"klais.ledger/1","devices":10,"readings":20}\n${"x".repeat(27 * 11)}`, /after 11/],
	['{"schema":"klais.ledger/1","devices":9,"readings":20}\n', /of 9 devices/],
])("no ledger: %j", async (text, message) => {
	await expect(ledgerOf(file(text))).rejects.toThrow(message);
});

test("parts add up, with a few examples each", () => {
	const parts = [1, 2].map((part) => {
		const tally = emptyTally();
		for (let n = 0; n < 4; n += 1) {
			addFault(tally, "missing", () => `${part}.${n}`, 10);
		}
		tally.malformed["key"] = part;
		tally.fleet.held = part;
		return { ...tally, seconds: part };
	});
	const sum = summed(parts);
	expect(sum).toMatchObject({ missing: 80, twice: 0, malformed: { key: 3 }, fleet: { held: 3 }, seconds: 2 });
	expect(sum.examples["missing"]).toEqual(["1.0", "1.1", "1.2", "1.3", "2.0"]);
	expect(EXAMPLES_MAX).toBe(5);
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCohorts } from "../../src/scenarios/cohort-file.js";
import { readTraceVariants } from "../../src/scenarios/trace-variants.js";

const TOTAL = `epoch_s,customers_out,glitch
1000,0,0
1600,900,0
2200,100,1
2800,900,0
3400,300,0
4000,300,0
`;
const OUTAGES = `first_seen_epoch_s,last_seen_epoch_s,max_customers,last_customers
1600,2800,400,400
1600,2800,200,200
1600,4000,300,300
`;

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "klais-variants-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read(files: Record<string, string>) {
	for (const [name, text] of Object.entries(files)) {
		writeFileSync(join(folder, name), text);
	}
	return readTraceVariants(join(folder, "city_total.csv"));
}

/** Devices out at a second from the start. */
function outAt(csv: string, second: number): number {
	const cohorts = parseCohorts(csv, "cohorts");
	if (!cohorts.ok) {
		throw new Error(cohorts.error[0]?.message);
	}
	const at = second * 1_000_000;
	return cohorts.value
		.filter(({ outAtMicros, backAtMicros }) => outAtMicros <= at && (backAtMicros ?? Infinity) > at)
		.reduce((sum, { devices }) => sum + devices, 0);
}

describe("a trace told in several ways", () => {
	it("drops the glitches, and keeps them", () => {
		const variants = read({ "city_total.csv": TOTAL });
		const { name, cohorts, glitched, listed } = variants.ok ? variants.value : expect.fail();
		expect(name).toBe("city");
		expect([600, 1_200, 1_800].map((second) => outAt(cohorts, second))).toEqual([900, 900, 900]);
		expect([600, 1_200, 1_800].map((second) => outAt(glitched, second))).toEqual([900, 100, 900]);
		expect(listed).toBeUndefined();
	});

	it("takes who went together from the list beside it", () => {
		const variants = read({ "city_total.csv": TOTAL, "city_outages.csv": OUTAGES });
		const listed = (variants.ok ? variants.value.listed : undefined) ?? expect.fail();
		// Two end within the step after 2800, evenly over it; the third is never seen to end.
		expect([1_799, 1_800, 2_099, 2_100, 2_399, 2_400, 9_000].map((second) => outAt(listed, second))).toEqual([
			900, 900, 900, 500, 500, 300, 300,
		]);
	});

	it("names the file that is wrong", () => {
		const variants = read({ "city_total.csv": TOTAL, "city_outages.csv": "a,b\n1,2\n" });
		expect(variants.ok ? [] : variants.error[0]?.file).toContain("city_outages.csv");
	});
});

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CATALOGUE_FOLDER } from "../../src/scenarios/catalogue.js";
import { parseCohorts } from "../../src/scenarios/cohort-file.js";
import { importTrace } from "../../src/scenarios/import-trace.js";
import { largestRemainder } from "../../src/scenarios/largest-remainder.js";
import { outagePeak } from "../../src/scenarios/outage-peak.js";
import { readTrace, type Snapshot } from "../../src/scenarios/read-trace.js";
import { restorationCohorts } from "../../src/scenarios/restoration-cohorts.js";
import type { Cohort } from "../../src/scenarios/scenario.js";
import { devicesOut } from "./curve.js";
import { OUTAGE_DATA_FOLDER, OUTAGE_IMPORTS } from "./outage-imports.js";

const curves = fc
	.array(fc.record({ step: fc.integer({ min: 1, max: 5_000 }), out: fc.nat(20_000) }), {
		minLength: 2,
		maxLength: 25,
	})
	.map((points) => {
		let at = 1_571_961_662;
		return points.map(({ step, out }, index): Snapshot => {
			at += step;
			return { epochSeconds: at, customersOut: out, line: index + 2 };
		});
	});

/** Outages first and last seen at any two snapshots of the curve, or somewhere near. */
const listings = fc.array(
	fc.record({
		first: fc.double({ min: -0.1, max: 1.1, noNaN: true }),
		last: fc.double({ min: 0, max: 1.1, noNaN: true }),
		max: fc.nat(900),
		latest: fc.nat(900),
	}),
	{ maxLength: 60 },
);

function expectCurve(cohorts: readonly Cohort[], snapshots: readonly Snapshot[]): void {
	const start = snapshots[0]?.epochSeconds ?? 0;
	const found = snapshots.map(({ epochSeconds }) => devicesOut(cohorts, (epochSeconds - start) * 1e6));
	expect(found).toEqual(snapshots.map(({ customersOut }) => customersOut));
}

describe("cohorts of a curve", () => {
	test("add up to it, exactly, at every snapshot", () => {
		fc.assert(
			fc.property(
				curves,
				listings,
				fc.boolean(),
				fc.boolean(),
				fc.integer({ min: 1, max: 200 }),
				(snapshots, raw, withList, spread, minLump) => {
					const start = snapshots[0]?.epochSeconds ?? 0;
					const length = (snapshots.at(-1)?.epochSeconds ?? 0) - start;
					const listed = raw.map(({ first, last, max, latest }) => ({
						firstSeenSeconds: Math.round(start + first * length),
						lastSeenSeconds: Math.round(start + Math.max(first, last) * length),
						maxCustomers: max,
						lastCustomers: latest,
					}));
					const cohorts = restorationCohorts(snapshots, withList ? listed : undefined, { minLump, spread });
					expectCurve(cohorts, snapshots);
					expect(outagePeak(cohorts).devices).toBeLessThanOrEqual(
						Math.max(...snapshots.map(({ customersOut }) => customersOut)),
					);
					for (const { devices, outAtMicros, backAtMicros } of cohorts) {
						expect(devices).toBeGreaterThan(0);
						expect(backAtMicros === null || backAtMicros > outAtMicros).toBe(true);
					}
				},
			),
			{ numRuns: 300 },
		);
	});

	test("first out, first back", () => {
		const snapshots = [0, 600, 1_200, 1_800].map((epochSeconds, index) => ({
			epochSeconds,
			customersOut: [100, 300, 150, 0][index] ?? 0,
			line: index + 2,
		}));
		const rows = restorationCohorts(snapshots, undefined, { minLump: 50, spread: false });
		expect(
			rows.map(({ devices, outAtMicros, backAtMicros }) => [
				devices,
				outAtMicros / 1e6,
				(backAtMicros ?? 0) / 1e6,
			]),
		).toEqual([
			[100, 0, 1_200],
			[50, 600, 1_200],
			[150, 600, 1_800],
		]);
	});

	test("largest remainders sum up, and keep the proportions", () => {
		fc.assert(
			fc.property(
				fc.array(fc.nat(10_000_000), { minLength: 1, maxLength: 50 }),
				fc.nat(10_000_000),
				(weights, total) => {
					const shares = largestRemainder(weights, total);
					const sum = weights.reduce((a, b) => a + b, 0);
					expect(shares.reduce((a, b) => a + b, 0)).toBe(total);
					if (sum > 0) {
						expect(
							shares.every((share, index) => Math.abs(share - ((weights[index] ?? 0) * total) / sum) < 1),
						).toBe(true);
					}
				},
			),
		);
	});
});

const HAS_DATA = existsSync(OUTAGE_DATA_FOLDER);
const REASON = HAS_DATA ? "" : ` (skipped: there is no ${OUTAGE_DATA_FOLDER})`;

describe.skipIf(!HAS_DATA)(`the real traces${REASON}`, () => {
	test.each(OUTAGE_IMPORTS)("the catalogue has what the import yields: $name", (options, devices) => {
		const result = importTrace(options);
		const made = result.ok ? result.value : undefined;
		const fileIn = (ending: string) =>
			readFileSync(join(CATALOGUE_FOLDER, `${options.name}${ending}`), "utf8");
		// What must hold no import can know.
		expect(made?.yaml).toBe(fileIn(".yaml").split("\n# Added by hand.\n")[0]);
		expect(made?.cohortsCsv).toBe(fileIn(".cohorts.csv"));
		expect(made?.devices).toBe(devices);
	});

	test.each(["pge_psps_2019-10-25", "pge_storm_2021-01-26"])("%s is reproduced at every snapshot", (name) => {
		const traceFile = `${OUTAGE_DATA_FOLDER}${name}_total.csv`;
		const trace = readTrace(readFileSync(traceFile, "utf8"), traceFile);
		const made = importTrace({ traceFile, outagesFile: `${OUTAGE_DATA_FOLDER}${name}_outages.csv` });
		const cohorts = parseCohorts(made.ok ? made.value.cohortsCsv : "", "x");
		expect(trace.ok && cohorts.ok).toBe(true);
		if (trace.ok && cohorts.ok) {
			expectCurve(cohorts.value, trace.value.snapshots);
			expect(cohorts.value.length).toBeLessThan(25_000);
		}
	});

	test.each(["pge_psps_2019-10-25", "pge_storm_2021-01-26"])(
		"the rule finds the glitches that %s marks",
		(name) => {
			const traceFile = `${OUTAGE_DATA_FOLDER}${name}_total.csv`;
			const text = readFileSync(traceFile, "utf8");
			const unmarked = text.replace("glitch", "note");
			expect(readTrace(unmarked, traceFile, { detectGlitches: true })).toEqual(readTrace(text, traceFile));
		},
	);
});

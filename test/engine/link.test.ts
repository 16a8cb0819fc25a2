import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LINK_BROWN_OUT, Links } from "../../src/engine/link.js";
import { Streams } from "../../src/engine/streams.js";
import { LINK_PROFILES } from "../../src/scenarios/link-profiles.js";
import type { LinkProfile } from "../../src/scenarios/scenario.js";
import { SECOND } from "./support.js";

const PROFILES = Object.values(LINK_PROFILES);
const LOSSY: LinkProfile = {
	...LINK_PROFILES["lte-m"],
	lossPpm: 20_000,
	duplicatePpm: 5_000,
	reorderPpm: 30_000,
};

function linksOf(profile: LinkProfile, seed = "links"): Links {
	return new Links(100, profile, new Streams(seed));
}

/** Whether `hits` of `draws` is the given chance, give or take five standard deviations. */
function isRate(hits: number, draws: number, ppm: number): boolean {
	const p = ppm / 1_000_000;
	return Math.abs(hits - draws * p) <= 5 * Math.sqrt(draws * p * (1 - p)) + 1;
}

/** As `expect`, which is too slow for so many. */
function expectRange(value: number, min: number, max: number): void {
	if (value < min || value > max) {
		expect([min, value, max]).toBe("in order");
	}
}

const time = fc.integer({ min: 0, max: 49 * 86_400 * SECOND });
const device = fc.integer({ min: 0, max: 99 });
const nth = fc.integer({ min: 0, max: 600 });
const profile = fc.constantFrom(...PROFILES, LOSSY);

describe("the access links", () => {
	it("never deliver a frame sooner than the lookahead, nor later than the bound, brown-out or not", () => {
		fc.assert(
			fc.property(
				profile,
				fc.boolean(),
				device,
				time,
				nth,
				fc.integer({ min: 1, max: 1_000 }),
				fc.boolean(),
				(p, up, d, at, n, factor, dim) => {
					const links = linksOf(p);
					links.brownOuts = [{ lossPpm: 100_000, duplicatePpm: 0, reorderPpm: 0, latencyFactor: factor }];
					links.set(d, dim ? LINK_BROWN_OUT : 0);
					const travel = links.travel(up, d, at, n);
					const { min, max } = links.bounds(dim ? factor : 1, 100, 1);
					expect(min).toBe(p.minMicros);
					expect(travel === -1 || (travel >= min && travel <= max)).toBe(true);
					expect(Number.isInteger(travel)).toBe(true);
				},
			),
			{ numRuns: 3_000, seed: 9 },
		);
	});

	it.each([...PROFILES, LOSSY])("lose, double and hold back as many frames as they say ($name)", (p) => {
		const links = linksOf(p);
		const draws = 100_000;
		for (const up of [true, false]) {
			let lost = 0;
			let doubled = 0;
			let held = 0;
			let slow = 0;
			for (let n = 0; n < draws; n++) {
				// Two frames in one coherence block share their base: the faster of some others is not held back.
				const at = n * SECOND;
				const travel = links.travel(up, n % 100, at, 0);
				doubled += links.duplicated ? 1 : 0;
				const base = Math.min(
					...[1, 2, 3, 4].map((k) => links.travel(up, n % 100, at, k)).filter((t) => t > 0),
				);
				lost += travel === -1 ? 1 : 0;
				held += travel === 3 * base ? 1 : 0;
				slow += base > p.medianMicros ? 1 : 0;
			}
			expect(isRate(lost, draws, p.lossPpm)).toBe(true);
			expect(isRate(doubled, draws, p.duplicatePpm)).toBe(true);
			expect(isRate(held, draws, p.reorderPpm)).toBe(true);
			// A cable in a laboratory has one latency, to a microsecond.
			expect(p.name === "lab" || isRate(slow, draws, 500_000)).toBe(true);
		}
	});

	it("keep the frames of a burst in order, except for those held back", () => {
		fc.assert(
			fc.property(profile, fc.boolean(), device, time, (p, up, d, at) => {
				const links = linksOf({ ...p, reorderPpm: 0 });
				const burst = Array.from({ length: 40 }, (_, n) => links.travel(up, d, at, n)).filter(
					(t) => t !== -1,
				);
				expect(new Set(burst).size).toBeLessThanOrEqual(1);
				// And what the same second brings later does not overtake it.
				const rest = SECOND - 1 - (at % SECOND);
				const later = links.travel(up, d, at + rest, 0);
				expect(later === -1 || burst.length === 0 || later === burst[0]).toBe(true);
			}),
			{ numRuns: 500, seed: 10 },
		);
	});

	it("draw both ways, devices and times apart", () => {
		const links = linksOf(LINK_PROFILES["nb-iot"]);
		const latencies = (up: boolean, d: number) =>
			Array.from({ length: 50 }, (_, n) => links.travel(up, d, n * SECOND, 0));
		expect(latencies(true, 1)).not.toEqual(latencies(false, 1));
		expect(latencies(true, 1)).not.toEqual(latencies(true, 2));
		expect(new Set(latencies(true, 1)).size).toBeGreaterThan(20);
	});

	it("double and hold back in a brown-out as it says, on top of their own", () => {
		const p = { ...LINK_PROFILES["lte-m"], lossPpm: 0, duplicatePpm: 50_000, reorderPpm: 0 };
		const links = linksOf(p);
		links.brownOuts = [{ lossPpm: 0, duplicatePpm: 150_000, reorderPpm: 300_000, latencyFactor: 1 }];
		links.set(1, LINK_BROWN_OUT);
		const count = (d: number) => {
			let doubled = 0;
			let held = 0;
			for (let n = 0; n < 20_000; n++) {
				const travels = [0, 1, 2, 3, 4, 5].map((k) => links.travel(true, d, n * SECOND, k));
				held += (travels[5] as number) > Math.min(...travels) ? 1 : 0;
				doubled += links.duplicated ? 1 : 0;
			}
			return [doubled, held];
		};
		const [doubled, held] = count(1) as [number, number];
		expect(isRate(doubled, 20_000, 200_000)).toBe(true);
		expect(isRate(held, 20_000, 300_000)).toBe(true);
		expect(isRate((count(2) as [number, number])[0], 20_000, 50_000)).toBe(true);
	});

	it("degrade in a brown-out by its own figures, and only the devices in it", () => {
		const p = { ...LINK_PROFILES["lte-m"], lossPpm: 0, reorderPpm: 0 };
		const links = linksOf(p);
		links.brownOuts = [
			{ lossPpm: 300_000, duplicatePpm: 0, reorderPpm: 0, latencyFactor: 4 },
			{ lossPpm: 0, duplicatePpm: 0, reorderPpm: 0, latencyFactor: 10 },
		];
		const healthy = linksOf(p);
		links.set(1, LINK_BROWN_OUT);
		links.set(2, LINK_BROWN_OUT + 1);
		let lost = 0;
		for (let n = 0; n < 20_000; n++) {
			const at = n * 50_000;
			const base = healthy.travel(true, 1, at, 0);
			const dim = links.travel(true, 1, at, 0);
			lost += dim === -1 ? 1 : 0;
			expect(dim === -1 || dim === 4 * base).toBe(true);
			expect(links.travel(true, 2, at, 0)).toBe(10 * healthy.travel(true, 2, at, 0));
			expect(links.travel(true, 3, at, 0)).toBe(healthy.travel(true, 3, at, 0));
		}
		expect(isRate(lost, 20_000, 300_000)).toBe(true);
	});

	describe("under TCP", () => {
		const reliable = (p: LinkProfile) => new Links(100, p, new Streams("tcp"), true);

		it("lose, double and reorder nothing: what is lost comes late, and what follows it waits", () => {
			const p = { ...LOSSY, lossPpm: 150_000 };
			const links = reliable(p);
			const { min, max } = links.bounds(1, 100, 1);
			const plain = linksOf({ ...p, lossPpm: 0 }, "tcp");
			let late = 0;
			for (const up of [true, false]) {
				let newest = 0;
				for (let n = 0; n < 20_000; n++) {
					// Bursts of four, a few a second.
					const at = Math.floor(n / 4) * 300_000;
					const travel = links.travel(up, 7, at, n % 4);
					expectRange(travel, min, max + 1_000);
					expectRange(at + travel, newest, Number.POSITIVE_INFINITY);
					expect(links.duplicated).toBe(false);
					newest = at + travel;
					late += travel >= 1_000_000 + plain.travel(up, 7, at, 1) ? 1 : 0;
				}
			}
			expect(late / 40_000).toBeGreaterThan(0.15);
		});

		it("take as long as without where nothing is lost, apart for each device and way", () => {
			const p = { ...LINK_PROFILES["nb-iot"], lossPpm: 0, reorderPpm: 0, duplicatePpm: 0 };
			const [links, plain] = [reliable(p), linksOf(p, "tcp")];
			for (let n = 0; n < 2_000; n++) {
				const [up, d, at] = [n % 2 === 0, n % 100, n * 1_000_000];
				expect(links.travel(up, d, at, 0)).toBe(plain.travel(up, d, at, 0));
			}
		});

		it("begin anew with a new connection", () => {
			const links = reliable({ ...LOSSY, lossPpm: 1_000_000 });
			const old = links.travel(true, 5, 0, 0);
			expect(old).toBeGreaterThan(20_000_000);
			links.reconnect(5);
			const lossless = reliable({ ...LOSSY, lossPpm: 0 });
			lossless.travel(true, 5, 0, 0);
			lossless.reconnect(5);
			expect(lossless.travel(true, 5, 1, 0)).toBe(
				linksOf({ ...LOSSY, lossPpm: 0, reorderPpm: 0 }, "tcp").travel(true, 5, 1, 0),
			);
		});
	});

	it("take the time that the bytes take on the uplink", () => {
		expect(linksOf(LINK_PROFILES["lte-m"]).serialisation(375)).toBe(8_000);
		expect(linksOf(LINK_PROFILES["nb-iot"]).serialisation(1)).toBe(128);
		expect(linksOf({ ...LOSSY, uplinkBitsPerSecond: 0 }).serialisation(1_500)).toBe(0);
		// Rounded up: never faster than the wire.
		expect(linksOf({ ...LOSSY, uplinkBitsPerSecond: 3 }).serialisation(1)).toBe(2_666_667);
	});
});

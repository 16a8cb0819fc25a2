import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { prepareHistograms } from "../../src/engine/collector.js";
import { GatewayInbox } from "../../src/engine/gateway-inbox.js";
import { Producers } from "../../src/engine/producers.js";
import { KIND_OUTCOME } from "../../src/engine/record-layout.js";
import { faultPlan } from "./fault-plans.js";
import { simulate } from "./support.js";

beforeAll(prepareHistograms);
afterEach(() => vi.restoreAllMocks());

/** Seeds tried; the sound system passes all of them. */
const SEEDS = 60;

/** What the ledger of the first run says that does not close; undefined for none. */
function firstFailure(): string | undefined {
	for (let seed = 0; seed < SEEDS; seed++) {
		const { scenario, policy } = faultPlan(seed);
		const { duplicates, ackedLost, imbalance, reordered } = simulate(scenario, policy).record.ledger;
		if (duplicates + ackedLost + reordered > 0 || imbalance !== null) {
			return `${duplicates} twice, ${ackedLost} acknowledged and lost, ${imbalance}`;
		}
	}
	return undefined;
}

describe("a system that is broken on purpose is found out", () => {
	it("when the broker does not fence", () => {
		vi.spyOn(Producers.prototype, "isCurrent").mockReturnValue(true);
		expect(firstFailure()).toMatch(/^[1-9]\d* twice/);
	});

	it("when a gateway takes a time-out for a commit", () => {
		const hear = GatewayInbox.prototype.hear;
		vi.spyOn(GatewayInbox.prototype, "hear").mockImplementation(function (this: GatewayInbox, ...word) {
			const [gateway, kind, time, a, b, c] = word;
			hear.call(this, gateway, kind, time, a, kind === KIND_OUTCOME && b === 0 ? 1 : b, c);
		});
		expect(firstFailure()).toMatch(/device \d+: took/);
	});

	it("when readings are logged without their marks, now and then", () => {
		const putStored = GatewayInbox.prototype.putStored;
		vi.spyOn(GatewayInbox.prototype, "putStored").mockImplementation(function (this: GatewayInbox, ...batch) {
			const [time, gateway, id, isStored] = batch;
			putStored.call(this, time, gateway, id, isStored && id % 10 !== 0);
		});
		expect(firstFailure()).toBeDefined();
	});
});

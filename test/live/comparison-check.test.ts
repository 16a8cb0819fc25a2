import { describe, expect, test } from "vitest";
import { comparable } from "../../src/live/comparison-check.js";
import { parseFault } from "../../src/live/faults/parse-fault.js";
import type { LiveVariant } from "../../src/record/live-record.js";
import { variant } from "../fixtures/live-witness.js";

const fault = parseFault("kill-gateway@3s");
const faults = fault.ok ? [fault.value] : [];

function check(comparison: readonly LiveVariant[], broken: readonly string[] = []) {
	return comparable({ faults, compare: ["kafkajs", "kafkajs-early"] }, { taken: 11_000, comparison, broken });
}

describe("a comparison", () => {
	test("holds whatever the variants have lost or doubled", () => {
		const { holds, message } = check([
			variant("kafkajs", { twice: 40, outOfOrder: 3 }),
			variant("kafkajs-early", { missing: 11, stored: 10_989, altered: 1 }),
		]);
		expect(message).toBe("2 more runs, each with 11,000 readings taken and 1 faults done");
		expect(holds).toBe(true);
	});

	const early = variant("kafkajs-early");
	test.each([
		[{ ...early, complete: false, faultsDone: 0 }, "kafkajs-early was stopped before its end"],
		[{ ...early, faultsDone: 0 }, "kafkajs-early: 0 of 1 faults were done"],
		[variant("kafkajs-early", { undecided: 2 }), "kafkajs-early: the witness could not read everything"],
		[variant("kafkajs-early", { malformed: { key: 2 } }), "kafkajs-early: 2 records are no readings"],
		[variant("kafkajs-early", { unbalancedDevices: 1 }), "kafkajs-early: 1 accounts do not balance"],
		[
			variant("kafkajs-early", { fleet: { ...early.witness.fleet, produced: 10_999 } }),
			"kafkajs-early: 10,999 readings were taken",
		],
	])("does not hold where the world was another, or the witness blind: %#", (other, message) => {
		const found = check([variant("kafkajs"), other]);
		expect(found).toMatchObject({ name: "comparable", holds: false });
		expect(found.message).toBe(`${message} (11,000 taken under klais)`);
	});

	test("does not hold where a variant broke, or all was stopped before it", () => {
		expect(check([variant("kafkajs")]).message).toContain("kafkajs-early was not run, as all was stopped");
		const { message } = check([variant("kafkajs-early")], ["kafkajs broke: plain gateway 0 ended"]);
		expect(message).toBe("kafkajs broke: plain gateway 0 ended (11,000 taken under klais)");
	});
});

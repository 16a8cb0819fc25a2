import { describe, expect, it } from "vitest";
import { renderCharts } from "../../src/reports/charts.js";
import { groupByScenario } from "../../src/reports/grouping.js";
import { renderMarkdown } from "../../src/reports/markdown.js";
import { policyComparison } from "../../src/reports/policy-comparison.js";
import { pspsRun } from "../fixtures/psps-results.js";
import { fileOf, withVirtual } from "./support.js";

const LAWS = ["none", "static", "klais", "aimd", "vegas", "codel", "oracle"];

/** Runs that differ in nothing but their policy and what `change` says. */
function runs(change: (policy: string) => Parameters<typeof withVirtual>[0] = () => ({})) {
	return LAWS.map((policy) => ({ ...withVirtual(change(policy), pspsRun("klais")), policy }));
}

function comparisonOf(file: ReturnType<typeof fileOf>) {
	const [group] = groupByScenario(file);
	return group === undefined ? null : policyComparison(group);
}

/** The text of a cell by the names of its row and column. */
function cell(file: ReturnType<typeof fileOf>, policy: string, column: string): string | undefined {
	const table = comparisonOf(file);
	const place = table?.columns.indexOf(column) ?? -1;
	return table?.rows.find(({ label }) => label === policy)?.cells[place]?.text;
}

describe("control laws compared", () => {
	it("has a row a policy, and none with five policies or fewer", () => {
		expect(comparisonOf(fileOf(...runs()))?.rows.map(({ label }) => label)).toEqual(LAWS);
		expect(comparisonOf(fileOf(...runs().slice(0, 5)))).toBeNull();
	});

	it("counts regret from the oracle, either way", () => {
		const file = fileOf(
			...runs((policy) => ({
				drainSeconds: policy === "none" ? null : ({ aimd: 145, vegas: 90 }[policy] ?? 100),
			})),
		);
		expect(cell(file, "aimd", "Regret")).toBe("45 s");
		expect(cell(file, "vegas", "Regret")).toBe("−10 s");
		expect(cell(file, "oracle", "Regret")).toBe("0 s");
		expect(cell(file, "none", "Regret")).toBe("–");
		const without = fileOf(...runs().slice(0, 6));
		expect(comparisonOf(without)?.columns).not.toContain("Regret");
	});

	it("tells who never drained and who never settled from those without a figure", () => {
		const file = fileOf(
			...runs((policy) => {
				if (policy === "static") {
					return { drainRatio: null, drainSeconds: null, settlingSeconds: null };
				}
				return policy === "aimd" ? { overshoot: undefined, settlingSeconds: undefined } : {};
			}),
		);
		expect(cell(file, "static", "Drain against the bound")).toBe("never drained");
		expect(cell(file, "static", "Time to settle")).toBe("never");
		expect(cell(file, "aimd", "Time to settle")).toBe("–");
		expect(cell(file, "klais", "Overshoot")).toBe("12.5 %");
	});

	it("is in the report, with a panel a measure", async () => {
		const file = fileOf(...runs());
		expect(renderMarkdown(file)).toContain("Control laws compared");
		const panels = (await renderCharts(file)).filter(({ title }) => title === "Control laws compared");
		expect(new Set(panels.map(({ name }) => name)).size).toBe(8);
		for (const { description } of panels) {
			expect(LAWS.every((policy) => description.includes(policy))).toBe(true);
		}
	});
});

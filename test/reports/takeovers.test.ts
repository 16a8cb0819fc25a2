import { describe, expect, it } from "vitest";
import { parseResults } from "../../src/record/results-schema.js";
import { renderHtml } from "../../src/reports/html.js";
import { renderMarkdown } from "../../src/reports/markdown.js";
import { fileOf, takeover, withVirtual } from "./support.js";

const results = fileOf(withVirtual({ takeovers: [takeover("gateway"), takeover("gateway-freeze", null)] }));

describe("gateways that were replaced", () => {
	it("have a row for each fault", () => {
		const text = renderMarkdown(results);
		expect(text).toContain("Gateways replaced (exact)");
		const rows = text.split("\n").filter((line) => line.includes("gateway 2, at"));
		const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
		expect(cells.map((row) => row.slice(1, 8))).toEqual([
			["klais: gateway, gateway 2, at 47 min", "16", "16", "980 ms", "980 ms", "476", "980 ms"],
			["klais: gateway-freeze, gateway 2, at 47 min", "16", "0", "–", "–", "476", "–"],
		]);
	});

	it("are on the page too, and nowhere where there were none", async () => {
		expect(await renderHtml(results)).toContain("klais: gateway-freeze, gateway 2, at 47 min");
		const none = fileOf(withVirtual({ takeovers: [] }));
		expect(renderMarkdown(none)).not.toContain("Gateways replaced");
		expect(await renderHtml(none)).not.toContain("Gateways replaced");
	});

	it("are read back from a results file, which may lack them", () => {
		const read = (file: typeof results) => parseResults(JSON.stringify(file), "results.json");
		expect(read(results)).toMatchObject({
			ok: true,
			value: { runs: [{ virtual: { takeovers: [{ gateway: 2 }, { firstCommitSeconds: null }] } }] },
		});
		expect(read(fileOf(withVirtual({}))).ok).toBe(true);
	});
});

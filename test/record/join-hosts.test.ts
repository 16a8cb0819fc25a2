import { describe, expect, it } from "vitest";
import { joinHosts } from "../../src/record/join-hosts.js";
import { pspsResults } from "../fixtures/psps-results.js";

const { host } = pspsResults([]);

describe("joinHosts", () => {
	it("leaves one machine, and several alike, as they are", () => {
		expect(joinHosts([host])).toEqual(host);
		expect(joinHosts([host, { ...host }, host])).toEqual(host);
	});

	it("lists what differs, in the order given, and takes the least of cores and memory", () => {
		const other = { ...host, cpu: "Cortex-A72", cores: 64, memoryBytes: 1_000 };
		expect(joinHosts([host, other, host])).toEqual({
			...host,
			cpu: `${host.cpu} / Cortex-A72`,
			cores: host.cores,
			memoryBytes: 1_000,
		});
	});
});

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { klais, newFolder, recordIn } from "../cli/support.js";
import { NO_KAFKA } from "./broker/support.js";
import { because, NO_PACKETS } from "./support.js";

const reason = [NO_PACKETS, NO_KAFKA].filter((each) => each !== "").join("; ");

/**
 * The broker takes in what it is sent, and answers late: so a gateway that is killed leaves readings behind that are stored, and
 * marks that are not.
 */
const FAULTS = [
	...["--fault", "fill-quota@3s:for=10s,bytes=10_000"],
	...["--fault", "kill-gateway@9s:gateway=1,for=1s"],
];
const CONTROL_TRIES = 3;
const ARGS = [
	...["live", "live-smoke", "--sink", "kafka", "--out", "o", "--reporter", "md"],
	...["--set", "broker.partitions=4", "--set", "duration=22s", ...FAULTS],
];

async function record(more: readonly string[]) {
	const cwd = newFolder();
	const { code, stdout, stderr } = await klais([...ARGS, ...more], { cwd });
	const [live] = recordIn(join(cwd, "o")).live;
	expect(live, stdout + stderr).toBeDefined();
	const broken = live?.assertions.filter(({ holds }) => !holds).map(({ name }) => name) ?? [];
	// Other work on this machine may make the generator late; that is no fault of what is tested here.
	return { code, live, broken: broken.filter((name) => name !== "generator-keeps-up") };
}

describe.skipIf(reason !== "")(`a live run into Kafka${because(reason)}`, () => {
	test("a gateway is killed while the broker throttles: the witness finds everything, once, in order", async () => {
		const { live, broken } = await record([]);
		expect(broken).toEqual([]);
		expect(live).toMatchObject({ sink: "kafka", complete: true });
		const { witness, faults } = live ?? {};
		expect(witness).toMatchObject({ twice: 0, missing: 0, outOfOrder: 0, altered: 0, malformed: {} });
		expect(witness?.fleet.produced).toBe(500 * 22);
		expect(witness?.stored).toBeGreaterThan(9_000);
		expect(faults?.map(({ kind, shards }) => [kind, shards])).toEqual([
			["fill-quota", 4],
			["kill-gateway", 2],
		]);
		expect(faults?.[1]?.shardsTaken).toBe(2);
		expect(faults?.[1]?.firstCommitSeconds).toBeGreaterThan(0);
	});

	test(
		"the same without transactions: the witness finds readings that are stored twice, and the run fails",
		async () => {
			// What is stored twice depends on when the gateway is hit: on a busy machine it takes more than one try.
			let run = await record(["--no-transactions"]);
			for (let tries = 1; tries < CONTROL_TRIES && run.live?.witness?.twice === 0; tries++) {
				run = await record(["--no-transactions"]);
			}
			const { code, live, broken } = run;
			expect(code).toBe(1);
			expect(broken).toContain("exactly-once");
			expect(live?.witness?.twice).toBeGreaterThan(0);
			expect(live?.witness?.examples["twice"]?.[0]).toMatch(/^device \d+, epoch 0, /);
		},
		CONTROL_TRIES * 60_000,
	);
});

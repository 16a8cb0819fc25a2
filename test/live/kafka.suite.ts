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
	...["--set", "broker.partitions=4"],
];
/** Three runs, one after the other. */
const COMPARED_MILLIS = 180_000;

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
		const { live, broken } = await record(["--set", "duration=22s", ...FAULTS]);
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
			let run = await record(["--set", "duration=22s", ...FAULTS, "--no-transactions"]);
			for (let tries = 1; tries < CONTROL_TRIES && run.live?.witness?.twice === 0; tries++) {
				run = await record(["--set", "duration=22s", ...FAULTS, "--no-transactions"]);
			}
			const { code, live, broken } = run;
			expect(code).toBe(1);
			expect(broken).toContain("exactly-once");
			expect(live?.witness?.twice).toBeGreaterThan(0);
			expect(live?.witness?.examples["twice"]?.[0]).toMatch(/^device \d+, epoch 0, /);
		},
		CONTROL_TRIES * 60_000,
	);

	test(
		"beside plain producers, which double what the power cut off, or lose what they had acknowledged",
		async () => {
			const faults = ["fill-quota@3s:for=5s,bytes=10_000", "kill-gateway@6s:gateway=1,for=1s"];
			const { live, broken } = await record([
				...["--set", "duration=12s", ...faults.flatMap((fault) => ["--fault", fault])],
				...["--compare", "kafkajs,kafkajs-early"],
			]);
			expect(broken).toEqual([]);
			expect(live).toMatchObject({ complete: true, witness: { twice: 0, missing: 0 } });
			expect(live?.assertions.map(({ name }) => name)).toContain("comparable");
			const [plain, early] = live?.comparison ?? [];
			expect(plain).toMatchObject({
				name: "kafkajs",
				complete: true,
				faultsDone: 2,
				witness: { missing: 0 },
			});
			expect(early).toMatchObject({ name: "kafkajs-early", complete: true, faultsDone: 2 });
			expect(plain?.witness.twice).toBeGreaterThan(0);
			expect(early?.witness.missing).toBeGreaterThan(0);
			for (const { witness } of live?.comparison ?? []) {
				const { fleet, stored, missing, unacknowledged } = witness;
				expect(fleet.produced).toBe(500 * 12);
				expect(stored + missing + fleet.held - unacknowledged).toBe(fleet.produced);
				expect(witness).toMatchObject({ altered: 0, malformed: {}, beyond: 0, unexplained: 0 });
				expect(witness.delays?.p99Seconds).toBeGreaterThan(0.1);
			}
		},
		COMPARED_MILLIS,
	);
});

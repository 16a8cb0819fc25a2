import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { HAS_REDIS, isAlive, type RedisServer, simulationsOf, startRedis, until } from "./redis.js";
import {
	copiedTree,
	klais,
	newFolder,
	recordIn,
	SAME_ENGINE,
	startKlais,
	TINY,
	withoutWall,
} from "./support.js";

const SWEEP = `schema: klais.sweep/1
scenario: tiny.yaml
grid: { gateways.sessions: [10/s, 40/s] }
seeds: 2
policies: [static, klais]
`;
const RUNS = 8;

/** Longer than the lock of a worker that was killed, on cores that may be at work elsewhere. */
const TIMEOUT_MS = 300_000;

/** The same simulation, a second later: a run that is long enough to be killed in its middle. */
const SLOW = `export class Simulation extends Real {
	run(control, elapsed) {
		const pause = new Int32Array(new SharedArrayBuffer(4));
		for (let n = 0; n < 20 && !control.stopped(); n += 1) Atomics.wait(pause, 0, 0, 50);
		return super.run(control, elapsed);
	}
}`;
const OTHER_DIGEST = `export class Simulation extends Real {
	run(control, elapsed) {
		const record = super.run(control, elapsed);
		return record.policy === "klais" && record.seed === "2" ? { ...record, digest: "beef" + record.digest } : record;
	}
}`;

/** A worker that goes when the test ends. */
function startWorker(redis: RedisServer, tree: string, flags: readonly string[] = []) {
	const args = ["sweep", "--worker", "--queue", redis.url, "--workers", "1", ...flags];
	const worker = startKlais(args, { tree, ownGroup: true });
	let said = "";
	worker.child.stderr.on("data", (text: string) => {
		said += text;
	});
	let isUnexpected = true;
	worker.ended.then(({ code, stderr }) => {
		if (isUnexpected && code !== null && ![0, 130, 143].includes(code)) {
			// Whoever waits for its runs would wait for ever: say why.
			console.error(`a worker ended with ${code}: ${stderr}`);
		}
	});
	onTestFinished(async () => {
		isUnexpected = false;
		worker.child.kill("SIGKILL");
		await worker.ended;
	});
	return { ...worker, pid: worker.child.pid as number, said: () => said };
}

/** Kills a worker in the middle of a run, and sees to it that the run's process does not outlive it for long. */
async function killAtWork(worker: ReturnType<typeof startWorker>): Promise<void> {
	let runs: number[] = [];
	await until("the worker has begun a run", () => {
		runs = simulationsOf(worker.pid);
		return runs.length > 0;
	});
	worker.child.kill("SIGKILL");
	await until("the run has ended with its worker", () => !runs.some(isAlive));
}

/** How many runs are done, whoever has taken their records. */
async function records(redis: RedisServer): Promise<number> {
	return (await redis.client.keys("klais:record:*")).length;
}

const FILES = { "tiny.yaml": TINY, "sweep.yaml": SWEEP };

describe.skipIf(!HAS_REDIS)("klais sweep --queue", { timeout: TIMEOUT_MS }, () => {
	function sweep(redis: RedisServer, cwd: string, tree: string, flags: readonly string[] = []) {
		const args = ["sweep", "sweep.yaml", "--queue", redis.url, "--reporter", "json", ...flags];
		const started = startKlais(args, { cwd, tree });
		onTestFinished(() => void started.child.kill("SIGKILL"));
		return started;
	}

	/** The bytes that the sweep has without a queue. */
	async function local(cwd: string, tree: string): Promise<string> {
		await klais(["sweep", "sweep.yaml", "--reporter", "json", "--out", "local"], { cwd, tree });
		return withoutWall(join(cwd, "local"));
	}

	test("two workers give the record of a sweep without a queue, and what is done is not done again", async () => {
		const [redis, tree, cwd] = [await startRedis(), copiedTree(SAME_ENGINE), newFolder(FILES)];
		const workers = [startWorker(redis, tree), startWorker(redis, tree, ["--idle", "3s"])];
		const { code, stderr } = await sweep(redis, cwd, tree, ["--out", "o"]).ended;
		expect(code, stderr).toBe(0);
		expect(withoutWall(join(cwd, "o"))).toBe(await local(cwd, tree));
		for (const worker of workers) {
			expect(worker.said()).toMatch(/^working for klais .*, 1 at a time\n(tiny \/ .*: done in .*\n)+/);
		}
		const lines = workers.flatMap((worker) => worker.said().match(/done in/g) ?? []);
		expect(lines).toHaveLength(RUNS);

		// A worker that nobody needs ends by itself, the other one on request, after what it has begun.
		expect((await workers[1]!.ended).code).toBe(0);
		workers[0]!.child.kill("SIGTERM");
		expect((await workers[0]!.ended).code).toBe(143);

		// Nobody works, and yet: the records are there.
		const again = await sweep(redis, cwd, tree, ["--out", "again"]).ended;
		expect(again.stderr).toContain(`${RUNS} of them were done before`);
		expect(withoutWall(join(cwd, "again"))).toBe(withoutWall(join(cwd, "o")));
	});

	test("workers killed with -9 lose nothing", async () => {
		const [redis, tree, cwd] = [await startRedis(), copiedTree(SLOW), newFolder(FILES)];
		const survivor = startWorker(redis, tree);
		const [first, second] = [startWorker(redis, tree), startWorker(redis, tree)];
		const { ended } = sweep(redis, cwd, tree, ["--out", "o"]);
		await killAtWork(first);
		await killAtWork(second);
		const { code, stderr } = await ended;
		expect(code, stderr).toBe(0);
		expect(stderr).toContain(`${RUNS} of ${RUNS} done in`);
		expect(withoutWall(join(cwd, "o"))).toBe(await local(cwd, tree));
		// What the dead had begun, the survivor has done as well.
		expect(survivor.said().match(/done in/g)?.length).toBeGreaterThan(RUNS / 3);
	});

	test("a worker that is asked to stop ends its run first", async () => {
		const [redis, tree, cwd] = [await startRedis(), copiedTree(SLOW), newFolder(FILES)];
		const worker = startWorker(redis, tree);
		const { child, ended } = sweep(redis, cwd, tree, ["--out", "o"]);
		await until("the worker has begun a run", () => simulationsOf(worker.pid).length > 0);
		// What a terminal does with Ctrl-C.
		process.kill(-worker.pid, "SIGINT");
		expect((await worker.ended).code).toBe(130);
		expect(worker.said()).toMatch(/stopping after the runs under way[\s\S]*done in/);

		// The one who asked for the sweep goes as well: what is done is written, what nobody has begun is taken back.
		await until("the record has arrived", async () => (await records(redis)) > 0);
		child.kill("SIGINT");
		expect((await ended).code).toBe(130);
		const { partial, runs } = recordIn(join(cwd, "o"));
		expect([partial, runs.length]).toEqual([true, 1]);
		expect(await redis.client.keys("klais:sweep-*:run-*")).toEqual([]);
	});

	test("whoever asked for it may be killed, and the queue emptied: the same command finds the rest", async () => {
		const [redis, tree, cwd] = [await startRedis(), copiedTree(SLOW), newFolder(FILES)];
		const first = sweep(redis, cwd, tree, ["--out", "o"]);
		startWorker(redis, tree);
		await until("some records have arrived", async () => (await records(redis)) >= 2);
		first.child.kill("SIGKILL");
		await first.ended;
		const second = sweep(redis, cwd, tree, ["--out", "o"]);
		await until("more records have arrived", async () => (await records(redis)) >= 4);
		// A Redis without a disk that restarts has forgotten everything.
		await redis.kill();
		await redis.start();
		const { code, stderr } = await second.ended;
		expect(code, stderr).toBe(0);
		expect(stderr).toMatch(/\d+ of them were done before/);
		expect(stderr).toMatch(/Redis at .* is gone: waiting for it\n[\s\S]*is back\n/);
		expect(withoutWall(join(cwd, "o"))).toBe(await local(cwd, tree));
	});

	test("a Redis that is gone for good keeps nobody: what has arrived is written", async () => {
		const [redis, tree, cwd] = [await startRedis(), copiedTree(SLOW), newFolder(FILES)];
		const worker = startWorker(redis, tree);
		const { child, ended } = sweep(redis, cwd, tree, ["--out", "o"]);
		let said = "";
		child.stderr.on("data", (text: string) => {
			said += text;
		});
		await until("some records have arrived", async () => (await records(redis)) >= 3);
		await redis.kill();
		await until("it is missed", () => said.includes("is gone: waiting for it"));
		child.kill("SIGINT");
		expect((await ended).code).toBe(130);
		expect(recordIn(join(cwd, "o")).partial).toBe(true);
		// The worker holds a record that nobody has yet: it is told twice that nobody wants it.
		worker.child.kill("SIGTERM");
		await new Promise((resolve) => setTimeout(resolve, 1_000));
		worker.child.kill("SIGTERM");
		expect((await worker.ended).code).toBe(143);
	});

	test("another attempt with another digest is an error", async () => {
		const [redis, tree, cwd] = [await startRedis(), copiedTree(SAME_ENGINE), newFolder(FILES)];
		const honest = startWorker(redis, tree);
		expect((await sweep(redis, cwd, tree, ["--out", "o"]).ended).code).toBe(0);
		honest.child.kill("SIGTERM");
		await honest.ended;
		startWorker(redis, copiedTree(OTHER_DIGEST));
		const { code, stderr } = await sweep(redis, cwd, tree, ["--again", "--out", "o"]).ended;
		expect(code).toBe(1);
		const crashes = stderr.match(/tiny \/ klais, gateways\.sessions=\d+\/s, seed 2 crashed, .*/g) ?? [];
		expect(crashes).toHaveLength(2);
		expect(crashes[0]).toMatch(
			/two attempts gave two digests, [0-9a-f]{64} and beef[0-9a-f]{64}: .*not deterministic/,
		);
		expect(stderr).toContain(
			"repeat it with: klais run tiny.yaml --policy klais --seed 2 --set gateways.sessions=10/s",
		);
		const { partial, runs } = recordIn(join(cwd, "o"));
		expect([partial, runs.length]).toEqual([true, RUNS - 2]);

		// Nobody forgets it until it is tried again.
		const later = await sweep(redis, cwd, tree, ["--out", "o"]).ended;
		expect([later.code, later.stderr.match(/two attempts/g)?.length]).toEqual([1, 2]);
	});

	test("a run that crashes costs only itself; the same run asked for twice is one", async () => {
		const crashing = `export class Simulation extends Real {
			constructor(scenario, policy) {
				if (policy === "static" && scenario.seed === "1") process.abort();
				super(scenario, policy);
			}
		}`;
		const [redis, tree] = [await startRedis(), copiedTree(crashing)];
		const same = SWEEP.replace("10/s, 40/s", "1000/s, 1_000/s");
		const cwd = newFolder({ ...FILES, "sweep.yaml": same });
		const worker = startWorker(redis, tree);
		const { code, stderr } = await sweep(redis, cwd, tree, ["--out", "o"]).ended;
		expect(code).toBe(1);
		expect(stderr).toMatch(/tiny \/ static, gateways\.sessions=1000\/s, seed 1 crashed, .*ended by SIGABRT/);
		const { runs } = recordIn(join(cwd, "o"));
		expect(
			runs.map(({ parameters, seed, policy }) => [...Object.values(parameters ?? {}), seed, policy]),
		).toEqual([
			["1000/s", "1", "klais"],
			["1000/s", "2", "static"],
			["1000/s", "2", "klais"],
			["1_000/s", "1", "klais"],
			["1_000/s", "2", "static"],
			["1_000/s", "2", "klais"],
		]);
		expect(worker.said().match(/done in/g)).toHaveLength(3);
		// It was tried twice.
		expect(worker.said().match(/SIGABRT/g)).toHaveLength(2);
	});

	test("says that nobody works, and which build it waits for", async () => {
		const [redis, tree, cwd] = [await startRedis(), copiedTree(SAME_ENGINE), newFolder(FILES)];
		const { child, ended } = sweep(redis, cwd, tree, ["--out", "o"]);
		let said = "";
		child.stderr.on("data", (text: string) => {
			said += text;
		});
		await until("it has lost its patience", () => said.includes("nobody works at this queue yet"));
		expect(said).toMatch(
			/on any machine with klais \d\S+: klais sweep --worker --queue redis:\/\/127\.0\.0\.1:\d+\n/,
		);
		child.kill("SIGTERM");
		expect((await ended).code).toBe(143);
	});
});

describe("a queue that cannot be", () => {
	const BAD: readonly (readonly [string[], RegExp])[] = [
		[["sweep", "sweep.yaml", "--queue", "127.0.0.1"], /^--queue: expected the URL of a Redis/],
		[
			["sweep", "sweep.yaml", "--queue", "http://secret@x"],
			/^--queue: expected the URL of a Redis, such as [^@]*$/,
		],
		[
			["sweep", "sweep.yaml", "--queue", "redis://user:secret@127.0.0.1:1"],
			/^--queue: no Redis at redis:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\): expected a server/m,
		],
		[["sweep", "--worker"], /^--worker: expected --queue as well/],
		[["sweep", "--worker", "--queue", "redis://127.0.0.1:1"], /^--queue: no Redis at .*ECONNREFUSED/m],
		[["sweep", "sweep.yaml", "--worker", "--queue", "redis://x"], /^--worker: .*name no sweep file/],
		[["sweep", "--worker", "--queue", "redis://x", "--shard", "1/2"], /^--shard: is for whoever asks/],
		[["sweep"], /^file: expected a sweep file, or --worker/],
		[["sweep", "sweep.yaml", "--again"], /^--again: .*with --queue/],
		[["sweep", "sweep.yaml", "--idle", "3s"], /^--idle: is for workers/],
		[
			["sweep", "sweep.yaml", "--queue", "redis://x", "--workers", "2"],
			/^--workers: with a queue, each worker/,
		],
	];

	test("exits 2 and says so", { timeout: TIMEOUT_MS }, async () => {
		const cwd = newFolder(FILES);
		for (const [args, message] of BAD) {
			const { code, stdout, stderr } = await klais(args, { cwd });
			expect(stderr, args.join(" ")).toMatch(message);
			expect(stderr, args.join(" ")).not.toContain("secret");
			expect([args, code, stdout]).toEqual([args, 2, ""]);
		}
	});
});

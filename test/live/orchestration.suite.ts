import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { buildTopology, removeTopology } from "../../src/live/namespaces.js";
import { topologyOf } from "../../src/live/topology.js";
import { klais, newFolder, recordIn, startKlais } from "../cli/support.js";
import { because, deadPid, FAKES, NO_NAMESPACES, namespacesOfProcess } from "./support.js";

const ARGS = ["live", "live-smoke", "--out", "o"];
const QUICK = [...ARGS, "--speed", "10", "--reporter", "json"];

/** What the stand-ins for gateway and fleet do. */
interface Fakes {
	readonly gateway?: "refuses" | "dies" | "doubles" | "falls-back";
	readonly fleet?: "garbles" | "loses" | "late" | "deaf";
}

const place = (cwd: string, { gateway, fleet }: Fakes = {}) => ({
	cwd,
	env: {
		KLAIS_NATIVE_BIN: FAKES,
		...(gateway === undefined ? {} : { FAKE_GATEWAY: gateway }),
		...(fleet === undefined ? {} : { FAKE_FLEET: fleet }),
	},
});

function start(args: readonly string[], cwd: string, fakes: Fakes = {}) {
	const started = startKlais(args, place(cwd, fakes));
	let said = "";
	started.child.stderr.on("data", (text: string) => {
		said += text;
	});
	const says = async (words: string) => {
		for (let waited = 0; !said.includes(words); waited += 20) {
			if (waited > 20_000) {
				throw new Error(`it never said ${words}: ${said}`);
			}
			await sleep(20);
		}
	};
	return { ...started, says };
}

const foldersOf = (pid: number | undefined) =>
	readdirSync(tmpdir()).filter((name) => name.startsWith(`klais-live-${pid}-`));

const nothingIsLeftOf = (pid: number | undefined) => {
	expect(namespacesOfProcess(pid)).toEqual([]);
	expect(foldersOf(pid)).toEqual([]);
};

describe("a live run that cannot be", () => {
	test("without programs, as another user, or over a link: one line each, exit 2, nothing written", async () => {
		const cwd = newFolder();
		const env = { KLAIS_NATIVE_BIN: cwd };
		const { code, stderr, stdout } = await klais([...ARGS, "--set", "devices.link=wifi"], { cwd, env });
		expect(code).toBe(2);
		expect(stdout).toBe("");
		expect(stderr).toMatch(/^devices\.link: a live run has a cable between namespaces/m);
		expect(stderr).toMatch(/klais-gatewayd: no such program: npm run setup:live builds it/);
		expect(existsSync(join(cwd, "o"))).toBe(false);
	});

	test.each([
		[["live"], "scenario: expected the name of a scenario"],
		[["live", "live-smoke", "--policy", "klais,static"], "--policy: a live run has one policy"],
		[["live", "live-smoke", "--policy", "none"], "--policy: none travels over TCP"],
		[["live", "live-smoke", "--xdp", "fast"], '--xdp: unknown name "fast"'],
		[["live", "live-smoke", "--speed", "0"], "--speed: expected a whole number from 1 to 1000"],
		[["live", "live-smoke", "--sink", "kafk"], '--sink: unknown name "kafk". Did you mean "kafka"?'],
		[["live", "live-smoke", "--sink", "kafka", "--speed", "2"], "--speed: Kafka runs in real time"],
		[["live", "live-smoke", "--no-transactions"], "--no-transactions: the mock sink has none"],
		[["live", "live-smoke", "--fault", "kill-gateway@5s"], "--fault: each mock sink belongs to one gateway"],
		[
			["live", "live-smoke", "--sink", "kafka", "--fault", "kill@5s"],
			"--fault: expected kind@time, such as kill-",
		],
		[
			["live", "live-smoke", "--sink", "kafka", "--fault", "kill-gateway@5s:gateway=2"],
			"--fault: kill-gateway@5s:gateway=2: there is no gateway 2 of 2",
		],
		[
			["live", "live-smoke", "--compare"],
			"--compare: plain producers write to Kafka: only with --sink kafka",
		],
		[
			["live", "live-smoke", "--sink", "kafka", "--no-transactions", "--compare"],
			"--compare: compares what is exactly once: not with --no-transactions",
		],
		[
			["live", "live-smoke", "--sink", "kafka", "--fault", "delay-endtxn@3s:for=1s", "--compare"],
			"--compare: plain producers end no transactions: it cannot be with delay-endtxn",
		],
		[
			["live", "live-smoke", "--sink", "kafka", "--compare", "kafkajs-idempotant"],
			'--compare: unknown name "kafkajs-idempotant". Did you mean "kafkajs-idempotent"',
		],
		[["live", "live-smok"], 'no scenario is called "live-smok". Did you mean "live-smoke"'],
		[["live", "live-smoke", "--pcap", "a.pcap"], "--pcap: a capture needs no scenario"],
		[["live", "--pcap", "none.pcap"], "none.pcap: no such capture file"],
		[["live", "gateway-restart", "--set", "devices.link=lab"], "outages.0.kind: gateway cannot be done live"],
	])("%j", async (args, message) => {
		const { code, stderr } = await klais(args, place(newFolder()));
		expect(stderr).toContain(message);
		expect(code).toBe(2);
	});
});

describe.skipIf(NO_NAMESPACES !== "")(`a live run${because(NO_NAMESPACES)}`, () => {
	test("records prediction and measurement side by side, and how to repeat both", async () => {
		const cwd = newFolder();
		const { code, stdout } = await klais([...ARGS, "--speed", "10", "--reporter", "md,junit"], place(cwd));
		const { live, runs, partial, command } = recordIn(join(cwd, "o"));
		expect(code).toBe(0);
		expect(partial).toBe(false);
		expect(command).toBe("klais live live-smoke --policy klais --seed klais --speed 10");
		expect(runs).toMatchObject([{ scenario: "live-smoke", policy: "klais", complete: true }]);
		const xdp = { asked: "native", used: "native", reason: null };
		expect(live).toMatchObject([{ scenario: "live-smoke", gateways: 2, speed: 10, complete: true, xdp }]);
		// The fake reports as many devices online as it was given power changes: out and back, for each of 500.
		expect(live[0]?.series.onlineMeasured[0]).toBe(1_000);
		expect(stdout).toContain("HELLOs answered in the kernel: 30 % (predicted 48.2 %)");
		const markdown = readFileSync(join(cwd, "o", "BENCHMARK_RESULTS.md"), "utf8");
		expect(markdown).toContain("charts/live--live-smoke-klais-live-backlog.svg");
		expect(markdown).toMatch(/\| HELLOs answered in the kernel \| 30 % \|/);
		expect(readFileSync(join(cwd, "o", "junit.xml"), "utf8")).toContain('name="exactly-once"');
	});

	test.each([
		[{ gateway: "doubles" }, "exactly-once: 6 readings were stored twice"],
		[{ fleet: "loses" }, "ledger: 10 readings are unaccounted for"],
		[{ gateway: "falls-back" }, "filter-as-asked: XDP ran off, not native: this fake knows no XDP"],
		[{ fleet: "late" }, "generator-keeps-up: the generator was saturated"],
	] as const)("fails, and says why: %j", async (fakes, message) => {
		const cwd = newFolder();
		const { code, stdout } = await klais(QUICK, place(cwd, fakes));
		expect(stdout).toContain(`failure: live, live-smoke / klais: ${message}`);
		expect(stdout).toContain("repeat it with: klais live live-smoke --policy klais");
		expect(code).toBe(1);
		expect(recordIn(join(cwd, "o")).partial).toBe(false);
	});

	test.each([
		[{ gateway: "dies" }, "the live run broke: gateway 0 ended (signal SIGKILL)"],
		[{ fleet: "garbles" }, "the live run broke: the fleet left no report"],
	] as const)("keeps the prediction when a program breaks: %j", async (fakes, message) => {
		const cwd = newFolder();
		const { child, ended } = startKlais([...ARGS, "--speed", "4", "--reporter", "json"], place(cwd, fakes));
		const { code, stderr } = await ended;
		expect(stderr).toContain(message);
		expect(code).toBe(1);
		expect(recordIn(join(cwd, "o"))).toMatchObject({ partial: true, live: [], runs: [{ complete: true }] });
		nothingIsLeftOf(child.pid);
	});

	test("that cannot be set up says why, and writes nothing", async () => {
		const cwd = newFolder();
		const { child, ended } = startKlais(QUICK, place(cwd, { gateway: "refuses" }));
		const { code, stderr } = await ended;
		expect(stderr).toMatch(
			/could not be set up: gateway \d ended \(exit code 3\): error: the policy is not for me/,
		);
		expect(code).toBe(2);
		expect(existsSync(join(cwd, "o"))).toBe(false);
		nothingIsLeftOf(child.pid);
	});

	test.each([
		["SIGINT", 130],
		["SIGTERM", 143],
	] as const)("stopped by %s writes what it has, marked as partial", async (signal, exitCode) => {
		const cwd = newFolder();
		const { child, ended, says } = start([...ARGS, "--reporter", "json"], cwd);
		await says("live: started");
		await sleep(1_500);
		expect(namespacesOfProcess(child.pid).length).toBe(3);
		child.kill(signal);
		const { code, stderr } = await ended;
		expect(code).toBe(exitCode);
		expect(stderr).toContain("live: stopped");
		expect(recordIn(join(cwd, "o"))).toMatchObject({ partial: true, live: [{ complete: false }] });
		nothingIsLeftOf(child.pid);
	});

	test("stopped twice ends at once, and cleans up all the same", async () => {
		const { child, ended, says } = start(ARGS, newFolder(), { fleet: "deaf" });
		await says("live: started");
		await sleep(1_500);
		child.kill("SIGINT");
		await says("stopping");
		await sleep(700);
		expect(namespacesOfProcess(child.pid).length).toBe(3);
		child.kill("SIGINT");
		expect((await ended).code).toBe(130);
		nothingIsLeftOf(child.pid);
	});

	test("first removes what a killed one left behind, and says so", async () => {
		const gone = topologyOf(deadPid(), 1);
		onTestFinished(() => removeTopology(gone));
		await buildTopology(gone);
		const { stderr } = await klais(QUICK, place(newFolder()));
		expect(stderr).toContain(
			`removed the network namespace ${gone.fleet}, left over from a run that crashed`,
		);

		const { child, ended, says } = start(ARGS, newFolder());
		await says("live: started");
		await sleep(1_500);
		expect(namespacesOfProcess(child.pid).length).toBe(3);
		child.kill("SIGKILL");
		await ended;
		const again = await klais(QUICK, place(newFolder()));
		expect(again.code).toBe(0);
		expect(again.stderr).toContain(`klais-${child.pid}-gw1, left over`);
		nothingIsLeftOf(child.pid);
	});
});

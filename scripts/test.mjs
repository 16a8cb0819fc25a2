// Everything that CI checks, in order, up to the first failure. Its last line is the count of tests.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { at, root } from "./setup/paths.mjs";
import { bpfTools } from "./setup/system.mjs";
import { kafkaJars, openTestBroker } from "./test/broker.mjs";
import { addCounts, cargoCounts, noCounts, vitestCounts } from "./test/counts.mjs";

const node = process.execPath;
const inModules = (...parts) => at("node_modules", ...parts);
const script = (name) => [node, at("scripts", name)];
const cargo = (...args) => ["cargo", ...args, "--manifest-path", at("native", "Cargo.toml")];
const canBuildBpf = process.platform === "linux" && bpfTools.isThere();
/** The crates that load the BPF program. */
const KERNEL_CRATES = ["klais-xdp", "klais-gatewayd"];
// What speaks to the kernel is built on Linux alone, and what loads BPF programs where its tools are.
const excluded = [
	...(canBuildBpf ? [] : KERNEL_CRATES.flatMap((name) => ["--exclude", name])),
	...(process.platform === "linux" ? [] : ["--exclude", "klais-fleet"]),
];
const target = ["--locked", "--target-dir", at("native", "target")];
// It builds librdkafka, and its tests want a broker: steps of their own.
const manifestOf = (crate) => readFileSync(at("native", crate, "Cargo.toml"), "utf8");
const hasKafka = existsSync(at("native", "kafka", "Cargo.toml"));
const withoutKafka = hasKafka ? ["--exclude", "klais-kafka"] : [];
const kafkaGatewayd = canBuildBpf && /^kafka\s*=/m.test(manifestOf("gatewayd"));
const cargoFlags = ["--workspace", ...excluded, ...withoutKafka, ...target];
// Tests that load programs into the kernel are marked as ignored: they need root.
const mayLoadBpf = canBuildBpf && process.getuid?.() === 0;
if (!mayLoadBpf) {
	const why = canBuildBpf ? "they need root" : "they need Linux, clang and the headers of libbpf";
	process.stdout.write(`the tests of the XDP program are skipped: ${why}\n`);
}

/** The daemon's tests with the kernel run once: in the build with Kafka where there is a broker. */
const kernelCrates = () =>
	kafkaGatewayd && kafkaEnvironment !== undefined
		? KERNEL_CRATES.filter((name) => name !== "klais-gatewayd")
		: KERNEL_CRATES;

const kernelTests = () => ({
	name: "cargo test, kernel",
	command: [
		...cargo("test"),
		...target,
		...kernelCrates().flatMap((name) => ["-p", name]),
		...["--", "--include-ignored"],
	],
	count: ({ stdout }) => cargoCounts(stdout),
});

/** What writes to Kafka. The daemon's default build, which cannot, is tested with all others. */
function kafkaSteps(environment) {
	const crates = ["-p", "klais-kafka", ...(kafkaGatewayd ? ["-p", "klais-gatewayd"] : [])];
	const features = kafkaGatewayd ? ["--features", "klais-gatewayd/kafka"] : [];
	const clippy = [...cargo("clippy"), ...target, ...crates, ...features, "--all-targets", "-q"];
	const tests = (name, which, withIgnored) => ({
		name,
		command: [...cargo("test"), ...target, ...which, ...(withIgnored ? ["--", "--include-ignored"] : [])],
		environment,
		count: ({ stdout }) => cargoCounts(stdout),
	});
	const gatewayd = ["-p", "klais-gatewayd", "--features", "kafka"];
	return [
		{ name: "cargo clippy, kafka", command: [...clippy, "--", "-D", "warnings"] },
		tests("cargo test, kafka", ["-p", "klais-kafka"], environment !== undefined),
		...(kafkaGatewayd
			? [tests("cargo test, gatewayd with kafka", gatewayd, mayLoadBpf && environment !== undefined)]
			: []),
	];
}

function plan(vitestReport) {
	const biome = [node, inModules("@biomejs", "biome", "bin", "biome"), "check", "--error-on-warnings", "."];
	const vitest = [node, inModules("vitest", "vitest.mjs"), "run"];
	const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${vitestReport}`];
	return [
		{
			name: "types",
			command: [node, inModules("typescript", "bin", "tsc"), "-p", at("tsconfig.test.json")],
		},
		{ name: "biome", command: biome },
		{ name: "layers", command: script("check-layers.mjs") },
		{ name: "rust layers", command: script("check-rust-layers.mjs") },
		{ name: "purity", command: script("check-purity.mjs") },
		{ name: "sizes", command: script("check-sizes.mjs") },
		{ name: "cargo fmt", command: [...cargo("fmt"), "--all", "--check"] },
		{
			name: "cargo clippy",
			command: [
				...cargo("clippy"),
				...cargoFlags,
				"--exclude",
				"klais-node",
				"--all-targets",
				"-q",
				"--",
				"-D",
				"warnings",
			],
		},
		{
			// As a test target it exports nothing to Node, and all of it would be dead code.
			name: "cargo clippy, node",
			command: [...cargo("clippy"), "--locked", "-p", "klais-node", "-q", "--", "-D", "warnings"],
		},
		{
			name: "cargo test",
			// The binding links against the symbols of a running Node: vitest tests it, through Node.
			command: [
				...cargo("test"),
				...cargoFlags,
				...["--exclude", "klais-node"],
				...(mayLoadBpf ? kernelCrates().flatMap((name) => ["--exclude", name]) : []),
			],
			count: ({ stdout }) => cargoCounts(stdout),
		},
		...(mayLoadBpf ? [kernelTests()] : []),
		...(hasKafka ? kafkaSteps(kafkaEnvironment) : []),
		{
			name: "vitest",
			command: [...vitest, ...reporters],
			isShown: true,
			count: () => vitestCounts(readFileSync(vitestReport, "utf8")),
		},
	];
}

function runStep({ name, command: [program, ...args], environment, isShown, count }) {
	const started = performance.now();
	const result = spawnSync(program, args, {
		cwd: root,
		env: { ...process.env, ...environment },
		encoding: "utf8",
		maxBuffer: 1 << 28,
		stdio: ["ignore", isShown ? "inherit" : "pipe", isShown ? "inherit" : "pipe"],
	});
	let passed = result.status === 0;
	let counts = noCounts;
	try {
		counts = count?.(result) ?? noCounts;
	} catch {
		// A runner that died before its report ran an unknown number of tests: never a pass.
		passed = false;
	}
	if (!passed && !isShown) {
		process.stdout.write(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}`);
	}
	const seconds = ((performance.now() - started) / 1000).toFixed(1);
	const tests = count === undefined ? "" : `, ${counts.passed} tests passed`;
	process.stdout.write(
		`${passed ? "ok    " : "FAILED"} ${name.padEnd(12)} ${seconds.padStart(6)} s${tests}\n`,
	);
	return { passed, counts };
}

const broker = hasKafka ? await openTestBroker() : undefined;
const kafkaEnvironment =
	broker === undefined ? undefined : { KLAIS_KAFKA: broker.bootstrap, ...(await kafkaJars()) };
const scratch = mkdtempSync(join(tmpdir(), "klais-test-"));
let total = noCounts;
let failedAt;
try {
	for (const each of plan(join(scratch, "vitest.json"))) {
		const { passed, counts } = runStep(each);
		total = addCounts(total, counts);
		if (!passed) {
			failedAt = each.name;
			break;
		}
	}
} finally {
	rmSync(scratch, { recursive: true, force: true });
	await broker?.remove();
}
if (failedAt !== undefined) {
	process.stdout.write(`stopped at: ${failedAt}\n`);
	process.exitCode = 1;
	// A failed check counts as one failure even where it is no test.
	total = { ...total, failed: Math.max(1, total.failed) };
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);

import { copyFileSync, existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { at } from "./paths.mjs";
import { SetupError, step } from "./run.mjs";
import { filesBelow, hashFiles, readStamp, writeStamp } from "./stamps.mjs";
import { bpfTools } from "./system.mjs";

/** The programs of the live path. They need Linux, and what compiles BPF. */
const PROGRAMS = ["klais-gatewayd", "klais-fleet", "klais-xdp"];
/** What Kafka's client can do at most, for `klais bench --only kafka`. */
const KAFKA_BENCH = "klais-kafka-bench";
const LIBRARY = { linux: "libklais_node.so", darwin: "libklais_node.dylib", win32: "klais_node.dll" };
const STAMP = "native";
const PROGRAMS_STAMP = "programs";

const nativeLibrary = at("native", "klais.node");

const isSource = (path) => /\.(rs|c|h)$|Cargo\.(toml|lock)$/.test(path);

const fingerprint = () =>
	`${process.platform}-${process.arch} ${hashFiles(filesBelow(at("native"), isSource))}`;

export const nativeIsCurrent = () => existsSync(nativeLibrary) && readStamp(STAMP) === fingerprint();

export const canBuildPrograms = () => process.platform === "linux" && bpfTools.isThere();

export const programsAreCurrent = () =>
	[...PROGRAMS, join("examples", KAFKA_BENCH)].every((name) =>
		existsSync(at("native", "target", "release", name)),
	) && readStamp(PROGRAMS_STAMP) === fingerprint();

/** The live gateway writes to Kafka too, if it is asked to. */
function features() {
	const manifest = readFileSync(at("native", "gatewayd", "Cargo.toml"), "utf8");
	return /^kafka\s*=/m.test(manifest) ? ["--features", "klais-gatewayd/kafka"] : [];
}

/** Gateway, packet fleet and XDP tools, for `klais live` and its benchmarks. */
export function buildPrograms() {
	const built = fingerprint();
	const place = ["--manifest-path", at("native", "Cargo.toml"), "--target-dir", at("native", "target")];
	step("building the live gateway, fleet and XDP tools", "cargo", [
		...["build", "--release", "--locked", ...PROGRAMS.flatMap((name) => ["-p", name])],
		...features(),
		...place,
	]);
	step("building the benchmark of Kafka's client", "cargo", [
		...["build", "--release", "--locked", "-p", "klais-kafka", "--example", KAFKA_BENCH],
		...place,
	]);
	writeStamp(PROGRAMS_STAMP, built);
}

export function buildNative() {
	// Taken before the build: a source saved while it runs must look changed to the next set-up.
	const built = fingerprint();
	const target = at("native", "target");
	const manifest = at("native", "Cargo.toml");
	step("building the native library", "cargo", [
		...["build", "--release", "--locked", "-p", "klais-node"],
		...["--manifest-path", manifest, "--target-dir", target],
	]);
	const library = at("native", "target", "release", LIBRARY[process.platform] ?? LIBRARY.linux);
	if (!existsSync(library)) {
		throw new SetupError(`cargo built no ${library}: native/node needs crate-type = ["cdylib"]`);
	}
	// A process that has the old library mapped would crash if its bytes changed in place.
	copyFileSync(library, `${nativeLibrary}.new`);
	renameSync(`${nativeLibrary}.new`, nativeLibrary);
	writeStamp(STAMP, built);
}

import { copyFileSync, existsSync, renameSync } from "node:fs";
import { at } from "./paths.mjs";
import { SetupError, step } from "./run.mjs";
import { filesBelow, hashFiles, readStamp, writeStamp } from "./stamps.mjs";

const LIBRARY = { linux: "libklais_node.so", darwin: "libklais_node.dylib", win32: "klais_node.dll" };
const STAMP = "native";

const nativeLibrary = at("native", "klais.node");

const isSource = (path) => /\.(rs|c|h)$|Cargo\.(toml|lock)$/.test(path);

const fingerprint = () =>
	`${process.platform}-${process.arch} ${hashFiles(filesBelow(at("native"), isSource))}`;

export const nativeIsCurrent = () => existsSync(nativeLibrary) && readStamp(STAMP) === fingerprint();

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

import { existsSync } from "node:fs";
import { join } from "node:path";
import { output, SetupError, say, step } from "./run.mjs";

const OLDEST_RUST = [1, 95];
const ON_WINDOWS = process.platform === "win32";

export function isAtLeast(version, [major, minor]) {
	const [, foundMajor, foundMinor] = /(\d+)\.(\d+)/.exec(version ?? "") ?? [];
	const [x, y] = [Number(foundMajor), Number(foundMinor)];
	return x > major || (x === major && y >= minor);
}

const RUST_HELP = `with rustup (https://rustup.rs): rustup toolchain install stable --profile default`;
const oldestRust = OLDEST_RUST.join(".");

const rustc = {
	name: `rustc ${oldestRust} or newer`,
	isThere: () => isAtLeast(output("rustc", ["--version"]), OLDEST_RUST),
	found: () => output("rustc", ["--version"]),
	help: RUST_HELP,
};

const cargo = {
	name: `cargo ${oldestRust} or newer`,
	isThere: () => isAtLeast(output("cargo", ["--version"]), OLDEST_RUST),
	found: () => output("cargo", ["--version"]),
	help: RUST_HELP,
};

const linker = {
	name: "a C compiler and linker (cc)",
	// On Windows rustc finds the linker by itself, and says what to install if it does not.
	isThere: () => ON_WINDOWS || output("cc", ["--version"]) !== undefined,
	debian: ["build-essential"],
	help: "Debian, Ubuntu: apt-get install build-essential; Fedora: dnf install gcc; macOS: xcode-select --install",
};

const rustLints = {
	name: "clippy and rustfmt",
	isThere: () =>
		output("cargo", ["clippy", "--version"]) !== undefined &&
		output("cargo", ["fmt", "--version"]) !== undefined,
	help: "rustup component add clippy rustfmt",
};

const browser = {
	name: "Chromium",
	optional: "the tests that open a report in a browser are skipped",
	isThere: () => ["/usr/bin/chromium", "/usr/bin/chromium-browser"].some((path) => existsSync(path)),
	debian: ["chromium", "fonts-dejavu-core"],
	help: "Debian: apt-get install chromium",
};

const redis = {
	name: "redis-server",
	optional: "the tests of sweeps on a queue are skipped",
	isThere: () => output("redis-server", ["--version"]) !== undefined,
	debian: ["redis-server"],
	help: "Debian, Ubuntu: apt-get install redis-server; Fedora: dnf install redis",
};

const onLinux = process.platform === "linux";
const anyOf = (...paths) => paths.some((path) => existsSync(path));

/** What compiles the BPF program and its loader. */
export const bpfTools = {
	name: "clang and the headers of libbpf, libelf and zlib",
	optional: "the XDP program is not built, and its tests are skipped",
	isThere: () =>
		!onLinux ||
		(output("clang", ["--version"]) !== undefined &&
			anyOf("/usr/include/bpf/bpf_helpers.h") &&
			anyOf("/usr/include/libelf.h", "/usr/include/libelf/libelf.h") &&
			anyOf("/usr/include/zlib.h")),
	debian: ["clang", "libbpf-dev", "libelf-dev", "zlib1g-dev", "pkg-config"],
	help: "Debian, Ubuntu: apt-get install clang libbpf-dev libelf-dev zlib1g-dev pkg-config",
};

const networkTools = {
	name: "ip, nsenter, ethtool and nft",
	optional: "what makes network namespaces is skipped",
	isThere: () =>
		!onLinux ||
		(output("ip", ["-V"]) !== undefined &&
			["nsenter", "ethtool", "nft"].every((tool) => output(tool, ["--version"]) !== undefined)),
	debian: ["iproute2", "util-linux", "ethtool", "nftables"],
	help: "Debian, Ubuntu: apt-get install iproute2 util-linux ethtool nftables",
};

const OLDEST_JAVA = 17;

const java = {
	name: `Java ${OLDEST_JAVA} or newer`,
	optional: "what needs a Kafka broker is skipped, unless KLAIS_KAFKA names one",
	isThere: () =>
		Number(/^\S+ (\d+)/.exec(output(javaProgram(), ["--version"]) ?? "")?.[1] ?? 0) >= OLDEST_JAVA,
	found: () => output(javaProgram(), ["--version"])?.split("\n")[0],
	debian: ["default-jre-headless"],
	help: "Debian, Ubuntu: apt-get install default-jre-headless; Fedora: dnf install java-21-openjdk-headless",
};

const javaProgram = () => {
	const home = process.env["JAVA_HOME"] ?? "";
	return home === "" ? "java" : join(home, "bin", "java");
};

const maven = {
	name: "Maven",
	optional: java.optional,
	isThere: () => output("mvn", ["--version"]) !== undefined,
	debian: ["maven"],
	help: "Debian, Ubuntu: apt-get install maven; Fedora: dnf install maven",
};

/** What fetches and runs a Kafka broker, where the user names none. */
export const kafkaTools = (process.env["KLAIS_KAFKA"] ?? "") === "" ? [java, maven] : [];

export const toBuild = [rustc, cargo, linker];
export const toRunLive = [...toBuild, bpfTools, networkTools, ...kafkaTools];
export const toTest = [...toRunLive, rustLints, browser, redis];

const mayUseApt = () =>
	process.getuid?.() === 0 &&
	existsSync("/etc/debian_version") &&
	output("apt-get", ["--version"]) !== undefined;

function aptInstall(packages) {
	const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
	step("updating Debian's package lists", "apt-get", ["-q", "update"], options);
	const install = ["-q", "-y", "--no-install-recommends", "install", ...packages];
	step(`installing ${packages.join(" ")}`, "apt-get", install, options);
}

function describe(need) {
	const found = need.found?.();
	return `  ${need.name}${found === undefined ? "" : ` (found: ${found})`}\n      ${need.help}`;
}

/** Installs what Debian can give to root; names whatever is missing after that, all of it at once. */
export function provide(needs, canInstall = mayUseApt, install = aptInstall) {
	let missing = needs.filter((need) => !need.isThere());
	const packages = missing.flatMap((need) => need.debian ?? []);
	if (packages.length > 0 && canInstall()) {
		try {
			install(packages);
		} catch (error) {
			if (missing.some((need) => need.optional === undefined)) {
				throw error;
			}
			say(error.message);
		}
		missing = missing.filter((need) => !need.isThere());
	}
	for (const need of missing.filter((each) => each.optional !== undefined)) {
		say(`no ${need.name}: ${need.optional} (${need.help})`);
	}
	const required = missing.filter((need) => need.optional === undefined);
	if (required.length > 0) {
		throw new SetupError(`missing on this machine:\n${required.map(describe).join("\n")}`);
	}
}

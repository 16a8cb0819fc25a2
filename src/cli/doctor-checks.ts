import { existsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { delimiter, join } from "node:path";
import { loadNative } from "../engine/native.js";
import {
	FLEET_PROGRAM,
	GATEWAY_PROGRAM,
	isExecutable,
	isThere,
	LIVE_TOOLS,
	XDP_PROGRAM,
} from "../live/machine.js";
import { formatBytes } from "../reports/format.js";
import { MAX_DEVICES } from "../scenarios/limits.js";
import type { Check, Needed } from "./doctor-check.js";
import { firstLine, usableMemoryBytes } from "./host-facts.js";
import { kafkaChecks } from "./kafka-checks.js";
import { devicesThatFit } from "./memory-need.js";
import { programsFolder } from "./native-programs.js";

const OLDEST_NODE = 20;
const CHROMIUM = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const BTF_FILE = "/sys/kernel/btf/vmlinux";

/** Looks at everything, at the same time. */
export async function checkMachine(): Promise<readonly Check[]> {
	const programs = await Promise.all([
		program("rustc", ["--version"], "build", "builds the native library: https://rustup.rs"),
		program("cargo", ["--version"], "build", "builds the native library: https://rustup.rs"),
		program("cc", ["--version"], "build", "links the native library: apt-get install build-essential"),
		program("git", ["--version"], "later", "records name the commit with it: apt-get install git"),
		program(
			"python3",
			["--version"],
			"later",
			"SimPy beside the simulator in `klais bench`: apt-get install python3",
		),
	]);
	return [
		nodeCheck(),
		nativeCheck(),
		memoryCheck(),
		coresCheck(),
		...programs,
		chromiumCheck(),
		...liveChecks(),
		...(await kafkaChecks()),
	];
}

function nodeCheck(): Check {
	const ok = Number(process.versions.node.split(".")[0]) >= OLDEST_NODE;
	const help = `Node ${OLDEST_NODE} or newer: https://nodejs.org`;
	return { name: "Node.js", ok, found: process.version, needed: "run", help };
}

function nativeCheck(): Check {
	const base = { name: "native library", needed: "run", help: "npm run setup builds it" } as const;
	try {
		loadNative();
		return { ...base, ok: true, found: "loads" };
	} catch (error) {
		const [reason = ""] = String((error as Error).message).split("\n");
		return { ...base, ok: false, found: `does not load: ${reason}` };
	}
}

function memoryCheck(): Check {
	const usable = usableMemoryBytes();
	const devices = Math.min(MAX_DEVICES, devicesThatFit(usable));
	return {
		name: "memory",
		ok: devices > 0,
		found: `${formatBytes(usable)} of ${formatBytes(totalmem())} free: one run of ${devices.toLocaleString("en-US")} devices`,
		needed: "run",
		help: "fewer devices need less: --devices",
	};
}

function coresCheck(): Check {
	const cores = availableParallelism();
	return {
		name: "cores",
		ok: true,
		found: `${cores}: ${cores === 1 ? "one run at a time" : `up to ${cores} runs at a time`}`,
		needed: "run",
		help: "",
	};
}

async function program(name: string, args: readonly string[], needed: Needed, help: string): Promise<Check> {
	const line = await firstLine(name, args);
	return { name, ok: line !== undefined, found: line ?? "not found", needed, help };
}

function chromiumCheck(): Check {
	const folders = (process.env["PATH"] ?? "").split(delimiter);
	const path = CHROMIUM.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
	const help = "opens the HTML report in tests: apt-get install chromium";
	return { name: "Chromium", ok: path !== undefined, found: path ?? "not found", needed: "tests", help };
}

const LIVE_PROGRAMS = [GATEWAY_PROGRAM, FLEET_PROGRAM, XDP_PROGRAM];

function liveChecks(): Check[] {
	const isRoot = process.geteuid?.() === 0;
	const isLinux = process.platform === "linux";
	const hasBtf = existsSync(BTF_FILE);
	const check = (name: string, ok: boolean, found: string, help: string): Check => {
		return { name, ok, found, needed: "live", help };
	};
	const present = (ok: boolean) => (ok ? "found" : "not found");
	return [
		check("Linux", isLinux, process.platform, "a Linux machine"),
		check("root", isRoot, isRoot ? "yes" : "no", "run as root"),
		check("kernel BTF", hasBtf, hasBtf ? BTF_FILE : "not found", "a kernel with CONFIG_DEBUG_INFO_BTF"),
		...Object.entries({ ...LIVE_TOOLS, nft: "nftables" }).map(([tool, debianPackage]) =>
			check(tool, isThere(tool), present(isThere(tool)), `Debian: apt-get install ${debianPackage}`),
		),
		...LIVE_PROGRAMS.map((name) => {
			const ok = isExecutable(join(programsFolder(), name));
			return check(name, ok, ok ? "built" : "not built", "npm run setup:live");
		}),
	];
}

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { UserError } from "../units/user-error.js";
import { searchPath } from "./tools.js";

/** The programs of the live path. */
export const GATEWAY_PROGRAM = "klais-gatewayd";
export const FLEET_PROGRAM = "klais-fleet";
export const XDP_PROGRAM = "klais-xdp";
/** Tools of the system, and the Debian package of each. */
export const LIVE_TOOLS = { ip: "iproute2", nsenter: "util-linux", ethtool: "ethtool" } as const;

/** Whether a tool of the system is where live runs look for it. */
export function isThere(tool: string): boolean {
	const folders = searchPath().split(delimiter);
	return folders.some((folder) => folder !== "" && isExecutable(join(folder, tool)));
}

/** Whether a program can be started. */
export function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** Why this machine, or this user, can do no live run; empty: it can. */
export function machineRefusals(programs: string): UserError[] {
	if (process.platform !== "linux") {
		return [refusal(`live runs need Linux, this is ${process.platform}: klais run simulates everywhere`)];
	}
	const refusals: UserError[] = [];
	if (process.geteuid?.() !== 0) {
		refusals.push(refusal("live runs make network namespaces and load XDP programs: run klais as root"));
	}
	for (const [tool, debianPackage] of Object.entries(LIVE_TOOLS)) {
		if (!isThere(tool)) {
			refusals.push(refusal(`${tool} is missing: on Debian, apt-get install ${debianPackage}`));
		}
	}
	for (const name of [GATEWAY_PROGRAM, FLEET_PROGRAM, XDP_PROGRAM]) {
		const file = join(programs, name);
		if (!isExecutable(file)) {
			const message = "no such program: npm run setup:live builds it";
			refusals.push({ kind: "not-found", file, message });
		}
	}
	return refusals;
}

function refusal(message: string): UserError {
	return { kind: "unsupported", message };
}

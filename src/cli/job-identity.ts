import { createHash } from "node:crypto";
import type { Job } from "./run-plan.js";

/** 128 bits: no two runs of a sweep meet by chance. */
const HEX_DIGITS = 32;

/** A hash of all that decides a run, but for the version: the resolved scenario, its seed among it, and the policy. */
export function jobIdentity({ scenario, policy }: Job): string {
	return hashOf([scenario, policy]);
}

/** The same hash for the same data: `value` must be plain, with keys in a fixed order. */
export function hashOf(value: unknown): string {
	return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, HEX_DIGITS);
}

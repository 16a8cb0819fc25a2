import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import type { Host, RunRecord } from "../../record/run-record.js";
import type { Scenario } from "../../scenarios/scenario.js";
import { POLICY_NAMES } from "../../scenarios/schema.js";
import { hashOf, jobIdentity } from "../job-identity.js";
import type { Job } from "../run-plan.js";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** What unpacks to more than this is no scenario and no record of ours: a quarter of a million cohorts take 25 MB. */
const UNPACKED_BYTES_MAX = 268_435_456;

const payloadSchema = z.object({
	label: z.string(),
	policy: z.enum(POLICY_NAMES),
	devices: z.int().positive(),
	/** The resolved scenario as JSON, gzipped, in base64: a worker needs none of the files that it came from. */
	scenario: z.string(),
});

/** A job as the queue holds it. */
export type JobPayload = z.infer<typeof payloadSchema>;

/** A job as a worker runs it. */
export interface UnpackedJob {
	readonly label: string;
	readonly policy: Job["policy"];
	readonly scenario: Scenario;
}

/** What a worker leaves behind. */
export interface Delivery {
	readonly record: RunRecord;
	/** The machine that simulated it. */
	readonly host: Host;
}

/** The same id for the same run of the same build, whoever asks for it: scenario, parameters, seed, policy, version. */
export function jobId(job: Job, build: string): string {
	return `run-${hashOf([build, jobIdentity(job)])}`;
}

export async function packJob({ label, policy, scenario }: Job): Promise<JobPayload> {
	const packed = await compress(JSON.stringify(scenario));
	return { label, policy, devices: scenario.devices.count, scenario: packed.toString("base64") };
}

/** Throws on what is no payload of ours: somebody else writes to this queue. */
export async function unpackJob(payload: unknown): Promise<UnpackedJob> {
	const { label, policy, scenario } = payloadSchema.parse(payload);
	const text = await decompress(Buffer.from(scenario, "base64"), { maxOutputLength: UNPACKED_BYTES_MAX });
	return { label, policy, scenario: JSON.parse(text.toString("utf8")) as Scenario };
}

export async function packDelivery(delivery: Delivery): Promise<Buffer> {
	return compress(JSON.stringify(delivery));
}

export async function unpackDelivery(bytes: Buffer): Promise<Delivery> {
	const text = await decompress(bytes, { maxOutputLength: UNPACKED_BYTES_MAX });
	return JSON.parse(text.toString("utf8")) as Delivery;
}

import { formatBytes } from "../reports/format.js";

/** What a run takes beside its devices: code, buffers, the histograms. */
const BASE_BYTES = 100 * 1024 * 1024;
/** Resident memory per device, all told: protocol state, world, ledger, frames on their way. */
const RESIDENT_BYTES_PER_DEVICE = 300;

/** Resident memory of one run, roughly. */
export function runBytes(devices: number): number {
	return BASE_BYTES + devices * RESIDENT_BYTES_PER_DEVICE;
}

/** Devices that fit into so much memory. */
export function devicesThatFit(bytes: number): number {
	return Math.max(0, Math.floor((bytes - BASE_BYTES) / RESIDENT_BYTES_PER_DEVICE));
}

/** What decides how many runs go on at the same time. */
export interface PoolFacts {
	/** What the user asked for. */
	readonly workers: number | undefined;
	readonly cores: number;
	readonly jobs: number;
	/** Devices of the largest run. */
	readonly devices: number;
	readonly freeBytes: number;
}

/** As many as there are cores, unless the user says otherwise, and no more than fit into memory. */
export function poolSize(facts: PoolFacts): { readonly size: number; readonly warning?: string } {
	const { workers, cores, jobs, devices, freeBytes } = facts;
	const wanted = Math.min(workers ?? cores, jobs);
	const fitting = Math.floor(freeBytes / runBytes(devices));
	if (fitting >= wanted) {
		return { size: wanted };
	}
	const need = `a run of ${devices.toLocaleString("en-US")} devices takes about ${formatBytes(runBytes(devices))} of memory`;
	const free = `${need}, and ${formatBytes(freeBytes)} are free`;
	if (workers !== undefined && wanted > 1) {
		return { size: wanted, warning: `${free}: ${wanted} at a time may not fit` };
	}
	return fitting === 0
		? { size: 1, warning: `${free}: even one may not fit` }
		: { size: fitting, warning: `${free}: no more than ${fitting} at a time` };
}

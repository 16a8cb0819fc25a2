/** What a run takes beside its devices: code, buffers, the histograms. */
const BASE_BYTES = 100 * 1024 * 1024;
/** Resident memory per device, all told: protocol state, world, ledger, frames on their way. */
export const RESIDENT_BYTES_PER_DEVICE = 300;

/** Resident memory of one run, roughly. */
export function runBytes(devices: number): number {
	return BASE_BYTES + devices * RESIDENT_BYTES_PER_DEVICE;
}

/** Devices that fit into so much memory. */
export function devicesThatFit(bytes: number): number {
	return Math.max(0, Math.floor((bytes - BASE_BYTES) / RESIDENT_BYTES_PER_DEVICE));
}

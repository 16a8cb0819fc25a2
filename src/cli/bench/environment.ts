import { cpus, loadavg } from "node:os";

/** The load average over the last minute. */
export function load(): string {
	return (loadavg()[0] ?? 0).toFixed(2);
}

/** What every record says about where it was measured. */
export function machine(): Record<string, string> {
	return {
		cpu: cpus()[0]?.model.trim() || "unknown",
		cores: String(cpus().length),
		node: process.version,
		loadAverage: load(),
	};
}

import type { PolicyName } from "../../scenarios/scenario.js";

/** What the process of one storm is told, as JSON in its only argument. */
export interface StormTask {
	readonly scenario: string;
	readonly devices: number;
	readonly policy: PolicyName;
}

/** What it answers, as one line of JSON. */
export interface StormSample {
	readonly events: number;
	readonly frames: number;
	readonly slices: number;
	/** Of the run itself, set-up and clean-up of the process apart; user and system, all threads. */
	readonly cpuMicros: number;
	readonly wallMicros: number;
	readonly peakRssBytes: number;
	/** Before the fleet was made: the runtime and the code. */
	readonly baseRssBytes: number;
	/** By what the engine and the native modules say that they keep per device. */
	readonly stateBytesPerDevice: number;
	readonly digest: string;
	/** null when every reading is accounted for. */
	readonly imbalance: string | null;
	/** Devices that came back, and the share of them that got a session. */
	readonly connectedShare: number;
}

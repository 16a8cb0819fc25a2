import type { XdpMode } from "../record/live-record.js";
import type { RunRecord } from "../record/run-record.js";
import type { PolicyName, Scenario } from "../scenarios/scenario.js";
import type { PlannedFault } from "./faults/planned-fault.js";
import type { FloodRate } from "./flood.js";
import type { PlainVariant } from "./plain/plain-variant.js";

/** A device loses its power, or gets it back. */
export interface PowerChange {
	readonly atMicros: number;
	readonly device: number;
	readonly on: boolean;
	/** From power on until the modem is attached; 0 at a loss. */
	readonly bootMicros: number;
}

/** What the engine knows of a scenario under a policy; the same facts as the simulated run had. */
export interface EnginePlan {
	/** The fleet's options, as the native library takes them. */
	readonly fleet: { readonly shards: number };
	/** One gateway's options, as the native library takes them. */
	readonly cluster: { readonly deduplicate: boolean; readonly shards: number };
	/** In the order of time. */
	readonly powerChanges: () => Iterable<PowerChange>;
	/** Of each device's reports; readings are on the same grid. */
	readonly phasesMicros: () => Iterable<number>;
	/** The busy period of the ideal sink, and the backlog that counts as drained. */
	readonly bound: {
		readonly startMicros: number;
		readonly endMicros: number | null;
		readonly epsilonReadings: number;
	};
}

/** Where gateways store readings. */
export type LiveSink =
	| { readonly kind: "mock" }
	/** Without transactions nothing is exactly once: a control, which the witness has to fail. */
	| { readonly kind: "kafka"; readonly transactions: boolean };

/** One live run. */
export interface LiveOrder {
	readonly scenario: Scenario;
	readonly policy: PolicyName;
	/** Virtual seconds per second of the wall clock. */
	readonly speed: number;
	readonly xdp: XdpMode;
	readonly sink: LiveSink;
	/** What is done to it while it runs; nothing with the mock sink. */
	readonly faults: readonly PlannedFault[];
	/** With Kafka: what the run is compared with; most have nothing. */
	readonly compare: readonly PlainVariant[];
	/** Hostile frames beside the fleet's; absent: none. */
	readonly flood?: FloodRate;
	/** The folder of klais-gatewayd and klais-fleet. */
	readonly programs: string;
	readonly plan: EnginePlan;
	/** The simulated run of the same scenario, seed and policy. */
	readonly prediction: RunRecord;
}

/** How whoever started a live run watches and stops it. */
export interface LiveControl {
	/** Says a line to the user. */
	say(text: string): void;
	/** Virtual time reached, and frames sent so far. */
	progress(atMicros: number, frames: number): void;
	/** True: end here; the record is marked as incomplete. */
	stopped(): boolean;
}

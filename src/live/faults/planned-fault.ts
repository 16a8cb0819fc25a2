/** What can be done to a live run while it runs. */
export const FAULT_KINDS = [
	"kill-gateway",
	"freeze-gateway",
	"delay-endtxn",
	"kill-broker",
	"stop-broker",
	"cut-link",
	"fill-quota",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** Which of a gateway's two cables is pulled. */
export type CutLink = "broker" | "fleet";

/** A fault of a live run. Times are both real and virtual: such a run has speed 1. */
export interface PlannedFault {
	readonly kind: FaultKind;
	/** As the user has written it. */
	readonly text: string;
	readonly atMicros: number;
	/** Until it is undone; null: never. */
	readonly forMicros: number | null;
	/** The one that is hit; null: the broker. */
	readonly gateway: number | null;
	/** `delay-endtxn`: for so long each is held. */
	readonly delayMicros: number;
	/** `fill-quota`: what all producers together may write. */
	readonly bytesPerSecond: number;
	/** `cut-link` */
	readonly link: CutLink;
}

/** Whether somebody else is to take the gateway's shards while a fault lasts. */
export function isOutOfService({ kind, link }: PlannedFault): boolean {
	return kind === "kill-gateway" || kind === "freeze-gateway" || (kind === "cut-link" && link === "broker");
}

/** When a fault is over, in microseconds; infinity: never. */
export function endOf({ atMicros, forMicros }: PlannedFault): number {
	return forMicros === null ? Number.POSITIVE_INFINITY : atMicros + forMicros;
}

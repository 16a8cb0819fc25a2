/** CPU time that the gateway process spends on a frame, in nanoseconds. */
export interface UserSpaceCosts {
	/** An admitted session. */
	readonly helloNanos: number;
	/** A DATA frame, its readings apart. */
	readonly dataNanos: number;
	readonly readingNanos: number;
}

/** CPU time that the filter in the kernel spends on a frame, by what it is and what becomes of it, in nanoseconds. */
export interface KernelCosts {
	readonly helloPassNanos: number;
	/** Answered in the kernel: user space never sees it. */
	readonly helloDeferNanos: number;
	readonly helloDropNanos: number;
	readonly dataPassNanos: number;
	readonly dataDropNanos: number;
}

/** What frames cost the CPU of a gateway. */
export interface FrameCosts extends UserSpaceCosts {
	readonly kernel: KernelCosts;
}

/** Costs, and for each key of a scenario whether the scenario states it or which calibration it is from. */
export interface GatewayCosts extends FrameCosts {
	readonly source: Readonly<Record<"helloCpu" | "dataCpu" | "readingCpuNanos", string>>;
}

/** No filter, or one whose time is in the other costs. */
export const NO_KERNEL_COSTS: KernelCosts = {
	helloPassNanos: 0,
	helloDeferNanos: 0,
	helloDropNanos: 0,
	dataPassNanos: 0,
	dataDropNanos: 0,
};

/** The same costs, each changed by `change`. */
export function changedCosts(costs: GatewayCosts, change: (nanos: number) => number): GatewayCosts {
	const { helloNanos, dataNanos, readingNanos, kernel, source } = costs;
	return {
		helloNanos: change(helloNanos),
		dataNanos: change(dataNanos),
		readingNanos: change(readingNanos),
		kernel: {
			helloPassNanos: change(kernel.helloPassNanos),
			helloDeferNanos: change(kernel.helloDeferNanos),
			helloDropNanos: change(kernel.helloDropNanos),
			dataPassNanos: change(kernel.dataPassNanos),
			dataDropNanos: change(kernel.dataDropNanos),
		},
		source,
	};
}

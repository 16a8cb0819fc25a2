import { EXIT, type ExitCode } from "./exit-codes.js";
import { type GateFlags, type GateRequest, readGateFlags } from "./gate/flags.js";
import { probeOutFolder } from "./out-folder.js";
import { StopSignals } from "./stop-signals.js";
import { refuse, say } from "./talk.js";

/** `klais gate`: is it worse than before? The exit code is the verdict. */
export async function gateCommand(flags: GateFlags): Promise<ExitCode> {
	const request = readGateFlags(flags);
	if (!request.ok) {
		return refuse(request.error);
	}
	const unwritable = await probeOutFolder(request.value.out, 1);
	if (unwritable !== undefined) {
		return refuse([unwritable]);
	}
	const stop = new AbortController();
	const signals = new StopSignals(
		() => {
			say("stopping");
			stop.abort();
		},
		() => undefined,
	);
	try {
		const code = await judge(request.value, stop.signal);
		// What was stopped has proved nothing, whatever it found so far.
		return signals.exitCode ?? (stop.signal.aborted ? EXIT.interrupted : code);
	} finally {
		signals.release();
	}
}

async function judge(request: GateRequest, stop: AbortSignal): Promise<ExitCode> {
	switch (request.kind) {
		case "stored":
			return (await import("./gate/stored.js")).gateStored(request, stop);
		case "base":
			return (await import("./gate/based.js")).gateBase(request, stop);
		case "self-test":
			return (await import("./gate/self-test.js")).gateSelfTest(request, stop);
	}
}

import { z } from "zod";
import { parsed } from "./parsed.js";

const whole = z.number().nonnegative();

/** What the fleet reports at its end. More may be there: a later fleet may count more. */
const reportSchema = z.looseObject({
	complete: z.boolean(),
	produced: whole,
	buffered: whole,
	acked: z.number(),
	lostOverflow: whole,
	lostVolatile: whole,
	framesSent: whole,
	framesReceived: whole,
	hellos: whole,
	admits: whole,
	defers: whole,
	connects: whole,
	wireErrors: z.record(z.string(), whole),
	sendErrors: z.record(z.string(), whole),
	receiveOverflows: whole.nullable(),
	connected: z.looseObject({
		p50Seconds: whole,
		p95Seconds: whole,
		p999Seconds: whole,
		count: whole,
		neverConnected: whole,
	}),
	lagMicros: z.looseObject({ p50: whole, p99: whole, max: whole }),
	series: z.array(z.looseObject({ timeMicros: whole, online: whole, backlogReadings: whole })),
	cpu: z.looseObject({ userSeconds: whole, systemSeconds: whole }),
});

export type FleetReport = z.output<typeof reportSchema>;

/** Reads the report's text. Throws, in words, on anything else. */
export function parseFleetReport(text: string): FleetReport {
	return parsed(reportSchema, text, "the fleet's report");
}

const progressSchema = z.looseObject({ timeMicros: whole, framesSent: whole });

export type FleetProgress = z.output<typeof progressSchema>;

/** Reads a line of progress; undefined for any other line. */
export function parseFleetProgress(line: string): FleetProgress | undefined {
	try {
		return parsed(progressSchema, line, "progress");
	} catch {
		return undefined;
	}
}

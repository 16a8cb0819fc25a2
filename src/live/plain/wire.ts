import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";

/** A reading between a plain device and a gateway: its number, milliseconds since the run's beginning, its bytes in base64. */
const readingSchema = z.tuple([z.number(), z.number(), z.string()]);

const requestSchema = z.object({ id: z.number(), device: z.number(), readings: z.array(readingSchema) });

const answerSchema = z.object({ id: z.number(), isStored: z.boolean() });

/** A line from a fleet to a gateway. */
export type WireRequest = z.output<typeof requestSchema>;

/** A line back. */
export type WireAnswer = z.output<typeof answerSchema>;

/** Calls for every request that comes in. Throws on what is none: both ends are ours. */
export function onRequests(input: Readable, work: (request: WireRequest) => void): void {
	onLines(input, (line) => work(requestSchema.parse(JSON.parse(line))));
}

/** Calls for every answer that comes in. */
export function onAnswers(input: Readable, work: (answer: WireAnswer) => void): void {
	onLines(input, (line) => work(answerSchema.parse(JSON.parse(line))));
}

/** A line that was cut off, as its sender is gone, is none. */
function onLines(input: Readable, work: (line: string) => void): void {
	const lines = createInterface({ input });
	lines.on("line", (line) => {
		if (line.endsWith("}")) {
			work(line);
		}
	});
	lines.on("error", () => undefined);
}

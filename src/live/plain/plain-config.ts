import { z } from "zod";

const whole = z.int().nonnegative();
const place = z.object({ host: z.string(), port: whole });

/** What a plain gateway is told. */
export const plainGatewayConfigSchema = z.strictObject({
	listen: place,
	/** `host:port` */
	broker: z.string(),
	clientId: z.string(),
	topic: z.string(),
	partitions: z.int().positive(),
	idempotent: z.boolean(),
	/** null: kafkajs's default. */
	maxInFlightRequests: whole.nullable(),
	bridge: z.strictObject({
		acknowledges: z.enum(["stored", "accepted"]),
		queueReadingsMax: whole,
		batchReadingsMax: whole,
		sendsMax: whole,
		lingerMillis: z.number(),
	}),
});

export type PlainGatewayConfig = z.output<typeof plainGatewayConfigSchema>;

/** What a fleet of plain devices is told. Times in microseconds of the run. */
export const plainFleetConfigSchema = z.strictObject({
	gateways: z.array(place).readonly(),
	/** CLOCK_MONOTONIC at which the run begins, nanoseconds. */
	originNanos: z.string(),
	untilMicros: whole,
	connectTimeoutMillis: z.number().positive(),
	seed: z.string(),
	readingBytes: whole,
	/** No device takes more. */
	readings: whole,
	/** A device's first gateway is its number modulo this, modulo the number of gateways. */
	shards: z.int().positive(),
	phasesMicros: z.array(z.number()).readonly(),
	firmware: z.strictObject({
		readingMicros: z.number(),
		reportMicros: z.number(),
		bufferReadings: whole,
		overflow: z.enum(["drop-oldest", "drop-newest"]),
		isVolatile: z.boolean(),
		sensingBackup: z.boolean(),
		frameReadings: whole,
		requestTimeoutMicros: z.number(),
		backoffBaseMicros: z.number(),
		backoffCapMicros: z.number(),
		gateways: whole,
	}),
	changes: z
		.array(
			z.strictObject({
				atMicros: z.number(),
				device: whole,
				on: z.boolean(),
				bootMicros: z.number(),
			}),
		)
		.readonly(),
	/** Where its ledger goes. */
	ledger: z.string(),
});

export type PlainFleetConfig = z.output<typeof plainFleetConfigSchema>;

/** What a fleet says at its end. */
export const plainFleetReportSchema = z.object({
	/** It ran to its end. */
	complete: z.boolean(),
	requests: whole,
	timeouts: whole,
	/** Requests that failed otherwise: refused, cut off, or given up by the producer. */
	failures: whole,
	/** Readings in requests beyond the first that they were in. */
	sentAgain: whole,
	/** How late devices were handled. */
	lateMillisP99: z.number(),
});

export type PlainFleetReport = z.output<typeof plainFleetReportSchema>;

import { fileURLToPath } from "node:url";
import { z } from "zod";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import type { KernelCosts, UserSpaceCosts } from "./frame-costs.js";
import { placeProblem } from "./overrides.js";
import { readTextFile } from "./read-text.js";
import { problemsOf } from "./schema-errors.js";
import { strictMap, text, whole } from "./schema-fields.js";
import { YamlDocument } from "./yaml-document.js";

/** The schema id that a calibration file starts with. */
export const CALIBRATION_SCHEMA_ID = "klais.calibration/1";

/** The calibration that comes with the software (the build copies it beside the compiled code). */
const SHIPPED_CALIBRATION = fileURLToPath(new URL("./calibration.yaml", import.meta.url));

const CALIBRATION_BYTES_MAX = 65_536;
const MINUTE_NANOS = 60_000_000_000;
const SECOND_NANOS = 1_000_000_000;

const host = strictMap({ cpu: text(200), cores: whole(1, 65_536), kernel: text(200) });

const calibrationSchema = strictMap({
	schema: z.literal(CALIBRATION_SCHEMA_ID, {
		error: `expected ${CALIBRATION_SCHEMA_ID}, the only schema that this version reads`,
	}),
	version: text(100),
	date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "expected a date such as 2026-01-31"),
	host,
	load: strictMap({
		framesPerSecond: whole(0, SECOND_NANOS),
		seconds: whole(0, 86_400),
		rounds: whole(0, 1_000),
		samples: whole(0, SECOND_NANOS),
	}),
	userSpace: strictMap({
		helloNanos: whole(0, MINUTE_NANOS),
		dataNanos: whole(0, MINUTE_NANOS),
		readingNanos: whole(0, SECOND_NANOS),
	}),
	kernel: strictMap({
		helloPassNanos: whole(0, SECOND_NANOS),
		helloDeferNanos: whole(0, SECOND_NANOS),
		helloDropNanos: whole(0, SECOND_NANOS),
		dataPassNanos: whole(0, SECOND_NANOS),
		dataDropNanos: whole(0, SECOND_NANOS),
	}),
	kernelFrom: text(500),
});

/** What frames cost, measured by `klais calibrate`: schema `klais.calibration/1`. */
export interface Calibration {
	/** Of klais. */
	readonly version: string;
	/** Such as 2026-01-31. */
	readonly date: string;
	readonly host: {
		readonly cpu: string;
		readonly cores: number;
		/** Release of the operating system's. */
		readonly kernel: string;
	};
	/** What the gateway was under while `userSpace` was measured. */
	readonly load: {
		readonly framesPerSecond: number;
		/** Of all loads and rounds. */
		readonly seconds: number;
		readonly rounds: number;
		/** Stretches of work that were timed. */
		readonly samples: number;
	};
	readonly userSpace: UserSpaceCosts;
	readonly kernel: KernelCosts;
	/** How `kernel` came about, or which calibration it is kept from and why. */
	readonly kernelFrom: string;
}

/** Reads a calibration file. Never throws on any input; errors say file, line, column and key as far as they are known. */
export function loadCalibration(file: string): Result<Calibration, readonly UserError[]> {
	const source = readTextFile(file, CALIBRATION_BYTES_MAX);
	if (!source.ok) {
		return err([source.error]);
	}
	const document = YamlDocument.parse(source.value, file);
	if (!document.ok) {
		return document;
	}
	const plain = document.value.toPlain();
	if (!plain.ok) {
		return err([plain.error]);
	}
	const parsed = calibrationSchema.safeParse(plain.value);
	if (!parsed.success) {
		const problems = problemsOf(parsed.error.issues, plain.value);
		return err(problems.map((problem) => placeProblem(problem, document.value, [])));
	}
	const { schema: _, ...calibration } = parsed.data;
	return ok(calibration);
}

let shipped: Calibration | undefined;

/** The calibration that comes with the software. Throws when it is broken: that is a fault of ours. */
export function shippedCalibration(): Calibration {
	if (shipped === undefined) {
		const loaded = loadCalibration(SHIPPED_CALIBRATION);
		if (!loaded.ok) {
			throw new Error(`${SHIPPED_CALIBRATION}: ${loaded.error.map(({ message }) => message).join("; ")}`);
		}
		shipped = loaded.value;
	}
	return shipped;
}

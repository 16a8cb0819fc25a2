import { CALIBRATION_SCHEMA_ID, type Calibration } from "./calibration.js";

/** A calibration as the text of its file. */
export function calibrationYaml(calibration: Calibration): string {
	const { version, date, host, load, userSpace, kernel, kernelFrom } = calibration;
	const lines = [
		"# What frames cost a gateway's CPU, in nanoseconds. Written by `klais calibrate`; see docs/calibration.md.",
		`schema: ${CALIBRATION_SCHEMA_ID}`,
		`version: ${JSON.stringify(version)}`,
		`date: ${date}`,
		"host:",
		`  cpu: ${JSON.stringify(host.cpu)}`,
		`  cores: ${host.cores}`,
		`  kernel: ${JSON.stringify(host.kernel)}`,
		"load: # what the gateway was under while userSpace was measured",
		...Object.entries(load).map(([key, value]) => `  ${key}: ${grouped(value)}`),
		"userSpace: # the process: receiving, opening, the gateway, the sink, sending the answers",
		...Object.entries(userSpace).map(([key, value]) => `  ${key}: ${grouped(value)}`),
		"kernel: # the filter",
		...Object.entries(kernel).map(([key, value]) => `  ${key}: ${grouped(value)}`),
		// JSON's escapes are a part of YAML's.
		`kernelFrom: ${JSON.stringify(kernelFrom)}`,
	];
	return `${lines.join("\n")}\n`;
}

function grouped(value: number): string {
	return value.toLocaleString("en-US").replaceAll(",", "_");
}

// The figures of a live run that pages show, measured beside predicted.

const SHOWN = [
	"HELLOs answered in the kernel",
	"HELLOs passed",
	"HELLOs deferred",
	"HELLOs dropped",
	"DATA admitted",
	"Time to drain",
	"Drain against the bound",
	"Connected, p50",
	"Connected, p95",
	"Connected, p99.9",
	"Readings taken",
	"Durable",
	"Stored twice",
	"Hostile frames sent",
	"Hostile frames per second",
	"Bytes out per hostile byte in",
	"Sent late, p99",
];
const EVERY_GATEWAY = /^Gateway \d+: (user CPU|system CPU|of a core)$/;

const line = (cells) => `| ${cells.join(" | ")} |`;

function amount(value, unit) {
	if (value === null) {
		return "–";
	}
	if (unit === "share") {
		return `${Number((value * 100).toPrecision(3))} %`;
	}
	if (unit === "seconds") {
		return value > 0 && value < 0.1
			? `${Number((value * 1_000).toPrecision(3))} ms`
			: `${Number(value.toPrecision(3))} s`;
	}
	return unit === "ratio" ? `${value.toFixed(2)}×` : Math.round(value).toLocaleString("en-US");
}

/** A table of one entry of `live`, and the command that printed it. */
export function liveTable(live, { command, host }, commit) {
	const rows = live.figures
		.filter(({ name }) => SHOWN.includes(name) || EVERY_GATEWAY.test(name))
		.map(({ name, unit, measured, predicted }) => [name, amount(measured, unit), amount(predicted, unit)]);
	const devices = live.devices.toLocaleString("en-US");
	const load = live.environment["Load average at the start"];
	return [
		line(["", "measured", "predicted"]),
		line(["---", "---:", "---:"]),
		...rows.map(line),
		"",
		`Printed by \`${command}\`: ${devices} devices, ${live.gateways} gateways, XDP ${live.xdp.used}, commit ${commit}, ` +
			`on ${host.cores} cores (${host.cpu}) that fleet, gateways and kernel share; load average ${load} at the start.`,
		"",
	].join("\n");
}

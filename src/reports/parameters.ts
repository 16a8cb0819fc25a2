/** A combination of a sweep's parameters in words: `gateways.sessions=20/s, devices.firmware.backoff=fixed`. */
export function parametersInWords(parameters: Readonly<Record<string, string>>): string {
	return Object.entries(parameters)
		.map(([path, value]) => `${path}=${value}`)
		.join(", ");
}

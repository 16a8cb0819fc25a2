/**
 * Arguments of Kafka's own `ConfigCommand`: what all clients that have no limit of their own may write, each, or one client id;
 * null lifts the limit. No client library at hand can do it.
 */
export function quotaArgs(bootstrap: string, bytesPerSecond: number | null, clientId?: string): string[] {
	const change =
		bytesPerSecond === null
			? ["--delete-config", "producer_byte_rate"]
			: ["--add-config", `producer_byte_rate=${bytesPerSecond}`];
	const whom = clientId === undefined ? ["--entity-default"] : ["--entity-name", clientId];
	return ["--bootstrap-server", bootstrap, "--alter", "--entity-type", "clients", ...whom, ...change];
}

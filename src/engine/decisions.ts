import type { DecisionRow } from "../record/run-record.js";
import type { NativeCluster } from "./native.js";

const COLUMNS = 5;

/** What the controllers of all gateways have decided, in time order; none where nothing is found out. */
export function decisionRows(cluster: NativeCluster, gateways: number): DecisionRow[] {
	const reasons = cluster.decisionReasons();
	const rows: DecisionRow[] = [];
	for (let gateway = 0; gateway < gateways; gateway++) {
		const flat = cluster.decisions(gateway);
		for (let n = 0; n + COLUMNS <= flat.length; n += COLUMNS) {
			const [at = 0, level = 0, capacityPerSecond = 0, sessionsPerSecond = 0, reason = 0] = flat.slice(n);
			rows.push({
				atSeconds: at / 1_000_000,
				gateway,
				level,
				capacityPerSecond,
				sessionsPerSecond,
				reason: reasons[reason] ?? "",
			});
		}
	}
	return rows.sort((x, y) => x.atSeconds - y.atSeconds || x.gateway - y.gateway);
}

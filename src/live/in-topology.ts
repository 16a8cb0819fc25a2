import { buildTopology, removeLeftovers, removeTopology, takeInAnswers } from "./namespaces.js";
import { makeRunFolder, removeLeftFolders, removeRunFolder } from "./run-folder.js";
import { type Topology, topologyOf } from "./topology.js";

/** What decides how the namespaces are built. */
export interface TopologyNeeds {
	readonly gateways: number;
	/** Filters answer by themselves, and the fleet takes that in. */
	readonly answersInKernel: boolean;
	/** The folder of the native programs. */
	readonly programs: string;
	/** A broker that every gateway has a cable to. */
	readonly broker?: boolean;
}

/**
 * Builds this process's namespaces and a folder for its files, does `work`, and removes everything again, whatever happens.
 * What crashed runs have left behind goes first, and is named to `say`. Throws a `LiveFault` when it cannot be built.
 */
export async function inTopology<T>(
	needs: TopologyNeeds,
	say: (text: string) => void,
	work: (topology: Topology, folder: string) => Promise<T>,
): Promise<T> {
	for (const namespace of removeLeftovers()) {
		say(`removed the network namespace ${namespace}, left over from a run that crashed`);
	}
	const topology = topologyOf(process.pid, needs.gateways, needs.broker);
	removeLeftFolders();
	const folder = makeRunFolder();
	const clean = () => {
		removeTopology(topology);
		removeRunFolder(folder);
	};
	// The last resort where nothing is awaited any more: a second signal, a fault of ours.
	process.once("exit", clean);
	try {
		await buildTopology(topology);
		if (needs.answersInKernel) {
			await takeInAnswers(topology, needs.programs);
		}
		return await work(topology, folder);
	} finally {
		process.off("exit", clean);
		clean();
	}
}

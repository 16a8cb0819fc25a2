import { AssignerProtocol, type PartitionAssigner } from "kafkajs";

const VERSION = 1;

/** Gives a consumer that is alone in its group some partitions of a topic, and not the others. */
export function sliceAssigner(topic: string, partitions: readonly number[]): PartitionAssigner {
	const userData = Buffer.alloc(0);
	const name = "klais-slice";
	const assignment = AssignerProtocol.MemberAssignment.encode({
		version: VERSION,
		assignment: { [topic]: [...partitions] },
		userData,
	});
	return () => ({
		name,
		version: VERSION,
		protocol: ({ topics }) => ({
			name,
			metadata: AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics, userData }),
		}),
		assign: async ({ members }) =>
			members.map(({ memberId }) => ({ memberId, memberAssignment: assignment })),
	});
}

import { createHash } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Java } from "./java.js";
import type { KafkaFiles } from "./kafka-files.js";
import { LocalBroker } from "./local-broker.js";

function archiveOf({ version }: Java, { folder }: KafkaFiles): string {
	const hash = createHash("sha256").update(version).digest("hex").slice(0, 12);
	return join(folder, `classes-${hash}.jsa`);
}

/**
 * The archive of classes that this Java has loaded for a broker; made once, by a broker that starts and ends. Undefined where
 * this Java makes none: brokers only start more slowly then.
 */
export async function provideArchive(java: Java, files: KafkaFiles): Promise<string | undefined> {
	const archive = archiveOf(java, files);
	if (existsSync(archive)) {
		return archive;
	}
	const part = `${archive}.part-${process.pid}`;
	const javaOptions = [`-XX:ArchiveClassesAtExit=${part}`];
	const broker = await LocalBroker.start({ java, files, archive: undefined }, { javaOptions });
	try {
		if (!broker.ok) {
			return undefined;
		}
		await broker.value.stop();
		renameSync(part, archive);
		return archive;
	} catch {
		return undefined;
	} finally {
		rmSync(part, { force: true });
		await (broker.ok ? broker.value.remove() : undefined);
	}
}

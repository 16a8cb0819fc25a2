import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { err, ok, type Result } from "../../units/result.js";
import type { UserError } from "../../units/user-error.js";
import { toolFacts } from "../tool-facts.js";
import { buildName } from "./build-name.js";
import { type Delivery, packDelivery, unpackDelivery } from "./queue-jobs.js";

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_MS_MAX = 5_000;

/** How long a record waits for whoever asked for it. */
const RECORD_SECONDS = 86_400;
/** How long the digest of a run is remembered, to be held against that of another attempt. */
const DIGEST_SECONDS = 7 * 86_400;

/** How long the end may wait for a Redis: one that is gone must not keep anybody. */
const CLOSE_MS = 3_000;
/** Time for the last words to be written. */
const LEAVE_MS = 1_000;

/** Waits for the end of something that talks to a Redis, but not for long. */
export async function endOf(ending: Promise<unknown>): Promise<void> {
	await Promise.race([ending.catch(() => undefined), sleep(CLOSE_MS, undefined, { ref: false })]);
}

/** Ends the process though something of it still waits for a Redis that is gone. Does nothing where nothing does. */
export function leave(code: number): void {
	setTimeout(() => process.exit(code), LEAVE_MS).unref();
}

/** Two attempts at one run that gave different digests. */
export class DigestConflict extends Error {}

/** The namespace of all keys. */
const KEY_PREFIX = "klais";

/**
 * The queue of one build on one Redis, and the shelf where its records wait: jobs come and go, and a record that lies there
 * need not be computed again, whoever asked for it first.
 */
export class SweepQueue {
	/** Whether the end of the connection is our own wish. */
	private isClosing = false;

	private constructor(
		readonly redis: Redis,
		/** As BullMQ knows it. */
		readonly name: string,
		readonly build: string,
		/** Without user and password. */
		readonly shownUrl: string,
	) {}

	/** Connects, or says in a few seconds why not. Later losses of the connection are waited out, and told to `onTrouble`. */
	static async open(url: string, onTrouble: (text: string) => void): Promise<Result<SweepQueue, UserError>> {
		const { protocol, host, pathname } = new URL(url);
		const shownUrl = `${protocol}//${host}${pathname}`;
		let isOpen = false;
		let isTroubled = false;
		let reason = "no answer";
		let queue: SweepQueue | undefined;
		const redis = new Redis(url, {
			lazyConnect: true,
			connectTimeout: CONNECT_TIMEOUT_MS,
			// Commands wait for the connection to come back: a run of an hour must not be lost to a minute without Redis.
			maxRetriesPerRequest: null,
			retryStrategy: (times) => (isOpen ? Math.min(times * 200, RECONNECT_MS_MAX) : null),
		});
		redis.on("error", (error: Error) => {
			reason = error.message;
		});
		redis.on("close", () => {
			if (isOpen && !isTroubled && queue?.isClosing !== true) {
				isTroubled = true;
				onTrouble(`Redis at ${shownUrl} is gone: waiting for it`);
			}
		});
		redis.on("ready", () => {
			if (isTroubled) {
				isTroubled = false;
				onTrouble(`Redis at ${shownUrl} is back`);
			}
		});
		try {
			await redis.connect();
			await redis.ping();
			isOpen = true;
		} catch (error) {
			redis.disconnect();
			const why = error instanceof Error && !/closed/i.test(error.message) ? error.message : reason;
			const message = `no Redis at ${shownUrl} (${why}): expected a server, such as redis://127.0.0.1:6379`;
			return err({ kind: "unreadable", key: "--queue", message });
		}
		const build = buildName(await toolFacts());
		queue = new SweepQueue(redis, `sweep-${build}`, build, shownUrl);
		return ok(queue);
	}

	/** What BullMQ's queues, workers and listeners are made with. */
	get options() {
		return { connection: this.redis, prefix: KEY_PREFIX };
	}

	/** Which of the runs have their records on the shelf. */
	async delivered(ids: readonly string[]): Promise<Set<string>> {
		const pipeline = this.redis.pipeline();
		for (const id of ids) {
			pipeline.exists(recordKey(id));
		}
		const answers = (await pipeline.exec()) ?? [];
		return new Set(ids.filter((_, index) => answers[index]?.[1] === 1));
	}

	/** The record of a run; undefined where it has none yet. */
	async take(id: string): Promise<Delivery | undefined> {
		const bytes = await this.redis.getBuffer(recordKey(id));
		return bytes === null ? undefined : unpackDelivery(bytes);
	}

	/**
	 * Puts a record on the shelf. Throws a `DigestConflict` where another attempt at the run gave another digest, and remembers
	 * it: whoever asked for the run must hear of it, whichever attempt came first.
	 */
	async deliver(id: string, delivery: Delivery): Promise<void> {
		const { digest } = delivery.record;
		await this.redis.set(digestKey(id), digest, "EX", DIGEST_SECONDS, "NX");
		const first = await this.redis.get(digestKey(id));
		if (first !== null && first !== digest) {
			const text = `two attempts gave two digests, ${first} and ${digest}: the simulation is not deterministic`;
			await this.redis.set(conflictKey(id), text, "EX", DIGEST_SECONDS);
			throw new DigestConflict(text);
		}
		await this.redis.set(recordKey(id), await packDelivery(delivery), "EX", RECORD_SECONDS);
	}

	/** The runs whose attempts contradicted each other, with the words for it. */
	async conflicts(ids: readonly string[]): Promise<Map<string, string>> {
		const texts = ids.length === 0 ? [] : await this.redis.mget(ids.map(conflictKey));
		return new Map(ids.flatMap((id, index) => (texts[index] == null ? [] : [[id, texts[index]] as const])));
	}

	/** Takes records and contradictions off the shelf, so that the runs are done again. Their digests are remembered. */
	async forget(ids: readonly string[]): Promise<void> {
		if (ids.length > 0) {
			await this.redis.del(ids.flatMap((id) => [recordKey(id), conflictKey(id)]));
		}
	}

	/** Ends the connection; one that is lost is not waited for. */
	async close(): Promise<void> {
		this.isClosing = true;
		if (this.redis.status === "ready") {
			await this.redis.quit().catch(() => undefined);
		}
		this.redis.disconnect();
	}
}

function recordKey(id: string): string {
	return `${KEY_PREFIX}:record:${id}`;
}

function digestKey(id: string): string {
	return `${KEY_PREFIX}:digest:${id}`;
}

function conflictKey(id: string): string {
	return `${KEY_PREFIX}:conflict:${id}`;
}

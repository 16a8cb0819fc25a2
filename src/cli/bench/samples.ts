import { max, median, min } from "simple-statistics";
import type { BenchRecord } from "../../record/run-record.js";

/** Whoever is measured in turn with others. */
export interface Contender<T> {
	readonly name: string;
	sample(): Promise<T>;
}

/**
 * Takes `rounds` samples of each contender in turn, forwards and backwards (ABBA), so that a noisy minute does not fall
 * on one of them. Samples by contender, in the order of `contenders`.
 */
export async function interleave<T>(
	contenders: readonly Contender<T>[],
	rounds: number,
	say: (line: string) => void,
): Promise<T[][]> {
	const samples: T[][] = contenders.map(() => []);
	for (let round = 0; round < rounds; round++) {
		const order = [...contenders.keys()];
		for (const n of round % 2 === 0 ? order : order.reverse()) {
			const contender = contenders[n] as Contender<T>;
			say(`${contender.name}, sample ${round + 1} of ${rounds}`);
			(samples[n] as T[]).push(await contender.sample());
		}
	}
	return samples;
}

/** The best sample: what the machine can do when nobody else uses it. */
export function best(record: BenchRecord): number {
	const samples = [...record.samples];
	return record.better === "higher" ? max(samples) : min(samples);
}

/** The middle sample: what it did. */
export function middle(record: BenchRecord): number {
	return median([...record.samples]);
}

/**
 * Lets as many runs in as fit into memory, in the order in which they came. A run that is larger than all of it is let in alone:
 * whether it fits is then the machine's word, not ours.
 */
export class MemoryGate {
	readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
	#taken = 0;

	constructor(private readonly totalBytes: number) {}

	/** Runs `work` once `bytes` are free, and gives them back when it has ended. */
	async within<T>(bytes: number, work: () => Promise<T>): Promise<T> {
		await new Promise<void>((enter) => {
			this.#waiting.push({ bytes, enter });
			this.#admit();
		});
		try {
			return await work();
		} finally {
			this.#taken -= bytes;
			this.#admit();
		}
	}

	#admit(): void {
		for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
			if (this.#taken > 0 && this.#taken + next.bytes > this.totalBytes) {
				return;
			}
			this.#waiting.shift();
			this.#taken += next.bytes;
			next.enter();
		}
	}
}

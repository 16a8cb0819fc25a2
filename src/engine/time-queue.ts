interface Item<T> {
	readonly time: number;
	/** Of two at one moment, what was put in first comes first. */
	readonly order: number;
	readonly what: T;
}

/** Things to come, the earliest first: a binary heap. */
export class TimeQueue<T> {
	private readonly items: Item<T>[] = [];
	private order = 0;

	/** Puts something in. */
	push(time: number, what: T): void {
		const { items } = this;
		const item = { time, order: this.order++, what };
		let place = items.length;
		items.push(item);
		while (place > 0) {
			const parent = (place - 1) >>> 1;
			const above = items[parent] as Item<T>;
			if (!isBefore(item, above)) {
				break;
			}
			items[place] = above;
			place = parent;
		}
		items[place] = item;
	}

	/** When the first is due; Infinity for none. */
	nextTime(): number {
		return this.items[0]?.time ?? Number.POSITIVE_INFINITY;
	}

	/** Takes out the first, if it is due before `horizon`. */
	pop(horizon: number): T | undefined {
		const { items } = this;
		const first = items[0];
		if (first === undefined || first.time >= horizon) {
			return undefined;
		}
		const last = items.pop() as Item<T>;
		if (items.length > 0) {
			this.sink(last);
		}
		return first.what;
	}

	private sink(item: Item<T>): void {
		const { items } = this;
		let place = 0;
		for (;;) {
			const left = 2 * place + 1;
			const right = items[left + 1];
			let child = left;
			let least = items[left];
			if (least === undefined) {
				break;
			}
			if (right !== undefined && isBefore(right, least)) {
				child = left + 1;
				least = right;
			}
			if (!isBefore(least, item)) {
				break;
			}
			items[place] = least;
			place = child;
		}
		items[place] = item;
	}
}

function isBefore(x: Item<unknown>, y: Item<unknown>): boolean {
	return x.time < y.time || (x.time === y.time && x.order < y.order);
}

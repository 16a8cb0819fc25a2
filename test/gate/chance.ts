import seedrandom from "seedrandom";

/** Seeded draws for simulated samples. */
export class Chance {
	private readonly draw: () => number;

	constructor(seed: string) {
		this.draw = seedrandom.alea(seed);
	}

	uniform(): number {
		return this.draw();
	}

	/** Normal, by Box and Muller. */
	normal(): number {
		return Math.sqrt(-2 * Math.log(1 - this.draw())) * Math.cos(2 * Math.PI * this.draw());
	}

	/** A time around 1 as a shared machine gives it: a little noise, and now and then a sample that took up to twice as long. */
	time(): number {
		return Math.exp(0.03 * this.normal()) * (this.draw() < 0.1 ? 1 + this.draw() : 1);
	}
}

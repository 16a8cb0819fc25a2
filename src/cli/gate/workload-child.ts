// A busy program that says how long it took: `node workload-child.js ITERATIONS`. The self-test's benchmark.

const CELLS = 1 << 16;
const WARM_UP = 200_000;

const cells = new Uint32Array(CELLS);

/** Steps of a pseudo-random walk (xorshift, G. Marsaglia 2003) over memory that a second-level cache holds. */
function churn(iterations: number, seed: number): number {
	let [state, sum] = [seed, 0];
	for (let n = 0; n < iterations; n++) {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		const at = state & (CELLS - 1);
		cells[at] = ((cells[at] as number) + state) | 0;
		sum ^= cells[(at + n) & (CELLS - 1)] as number;
	}
	return sum;
}

const warm = churn(WARM_UP, 7);
const cpu = process.cpuUsage();
const started = process.hrtime.bigint();
const sum = churn(Number(process.argv[2]), 11);
const wallMicros = Number((process.hrtime.bigint() - started) / 1_000n);
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ wallMicros, cpuMicros: user + system, sum: warm ^ sum }));

// A noisy neighbour: busy and idle in turn, at random, until its standard input ends: `node noise-child.js SEED`. The self-test's.
import { performance } from "node:perf_hooks";
import seedrandom from "seedrandom";

const BUSY_MILLIS_MAX = 400;
const IDLE_MILLIS_MAX = 400;
/** 16 MiB: more than a share of the last cache. */
const CELLS = 1 << 21;
const STEPS = 20_000;

const chance = seedrandom.alea(process.argv[2] ?? "");
const cells = new Float64Array(CELLS);

function burst(): void {
	const end = performance.now() + chance() * BUSY_MILLIS_MAX;
	while (performance.now() < end) {
		for (let n = 0; n < STEPS; n++) {
			const at = Math.floor(chance() * CELLS);
			cells[at] = (cells[at] as number) + 1;
		}
	}
	setTimeout(burst, chance() * IDLE_MILLIS_MAX);
}

process.stdin.on("end", () => process.exit(0)).resume();
burst();

// A part of the witness, in the broker's namespace: its argument is a file with a `WitnessOrder`. Says how many records it has
// read, a line of JSON each, and at the end `{ "tally": … }` or `{ "error": "…" }`. It ends when its input does.
import { readFileSync } from "node:fs";
import { parsed } from "../parsed.js";
import { witnessOrderSchema } from "./order.js";
import { testify } from "./testify.js";

const PROGRESS_NANOS = 500_000_000n;

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
process.stdin.on("end", () => process.exit(1)).resume();

let said = 0n;
try {
	const file = process.argv[2] ?? "";
	const order = parsed(witnessOrderSchema, readFileSync(file, "utf8"), file);
	const tally = await testify(order, (records) => {
		const now = process.hrtime.bigint();
		if (now - said > PROGRESS_NANOS) {
			said = now;
			say({ records });
		}
	});
	say({ tally });
} catch (error) {
	say({ error: (error as Error).message });
	process.exitCode = 1;
}
process.stdin.destroy();

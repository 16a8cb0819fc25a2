import { describe } from "vitest";
import { runFaultSeeds } from "./fault-seeds.js";

describe("a flush under random faults", () => {
	runFaultSeeds("faults-even.test.ts", 0, 2, 100);
});

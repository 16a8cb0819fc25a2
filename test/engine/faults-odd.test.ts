import { describe } from "vitest";
import { runFaultSeeds } from "./fault-seeds.js";

describe("a flush under random faults", () => {
	runFaultSeeds("faults-odd.test.ts", 1, 2, 100);
});

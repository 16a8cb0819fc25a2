import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		// Processes, not threads: the native library and process.chdir are per process.
		pool: "forks",
		maxWorkers: 2,
		testTimeout: 60_000,
		hookTimeout: 60_000,
		// Of the environment only what a test sets itself may change what it sees.
		env: { NO_COLOR: "1" },
	},
});

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { parseResults } from "../../src/record/results-schema.js";
import type { ResultsFile } from "../../src/record/run-record.js";

export const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: string;
	readonly stderr: string;
}

export interface Place {
	readonly cwd?: string;
	/** The folder that holds bin/klais.js. */
	readonly tree?: string;
	readonly env?: Readonly<Record<string, string>>;
	/** A process group of its own, as a shell makes one for each command. */
	readonly ownGroup?: boolean;
}

/** Starts klais as a shell would. */
export function startKlais(
	args: readonly string[],
	{ cwd = tmpdir(), tree = PROJECT, env = {}, ownGroup = false }: Place = {},
): { child: ChildProcessWithoutNullStreams; ended: Promise<Ended> } {
	const { CI: _ci, FORCE_COLOR: _colour, ...inherited } = process.env;
	const child = spawn(process.execPath, [join(tree, "bin", "klais.js"), ...args], {
		cwd,
		detached: ownGroup,
		env: { ...inherited, NO_COLOR: "1", ...env },
	});
	let stdout = "";
	let stderr = "";
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		stdout += text;
	});
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		stderr += text;
	});
	const ended = new Promise<Ended>((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
	});
	return { child, ended };
}

/** Runs klais to its end. */
export function klais(args: readonly string[], place: Place = {}): Promise<Ended> {
	return startKlais(args, place).ended;
}

/** An empty folder that goes when the test ends, with the files given. */
export function newFolder(files: Readonly<Record<string, string>> = {}): string {
	const folder = mkdtempSync(join(tmpdir(), "klais-cli-"));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	for (const [name, text] of Object.entries(files)) {
		writeFileSync(join(folder, name), text);
	}
	return folder;
}

/** A stored record, checked against the schema. */
export function recordIn(folder: string): ResultsFile {
	const parsed = parseResults(readFileSync(join(folder, "results.json"), "utf8"), "results.json");
	expect(parsed).toMatchObject({ ok: true });
	return (parsed as Extract<typeof parsed, { ok: true }>).value;
}

/** The bytes of a record without its sections on the machine and its clock. */
export function withoutWall(folder: string): string {
	const text = readFileSync(join(folder, "results.json"), "utf8");
	const bare = text
		.replace(/^\t"host": \{$[\s\S]*?^\t\},$/m, "")
		.replaceAll(/^\t{3}"wall": \{$[\s\S]*?^\t{3}\}$/gm, "");
	expect(bare).not.toMatch(/"cpu"|"eventsPerSecond"/);
	return bare;
}

export function lastLine(text: string): string {
	return text.trimEnd().split("\n").at(-1) ?? "";
}

/** A fleet so small that a run takes a fraction of a second, and a cluster that no policy overwhelms. */
export const TINY = `schema: klais.scenario/1
name: tiny
duration: 12m
seed: seven
devices:
  count: 300
  link: lte-m
  firmware: { profile: smart-meter, readingInterval: 10s, reportInterval: 30s, bufferReadings: 500 }
gateways:
  count: 2
  helloCpu: 20ms
  receiveQueueFrames: 4096
  sinkQueueReadings: 20_000
  sinkBatchReadings: 1_000
  sessions: 20/s
  slotWindow: 30s
broker:
  capacity: 600/s
outages:
  - { kind: power, at: 2m, until: 5m, share: 60% }
policies: [none, static, klais]
`;

/** Code in place of the engine's entry, after an import of the real one as \`Real\`. */
export type EngineStub = string;

/** The engine as it is. */
export const SAME_ENGINE: EngineStub = "export class Simulation extends Real {}";

/**
 * A copy of the program outside of git, whose engine does as a test wants: nobody can ask the real one to crash.
 * Without a stub the native library is missing.
 */
export function copiedTree(stub?: EngineStub): string {
	const tree = newFolder();
	cpSync(join(PROJECT, "dist"), join(tree, "dist"), { recursive: true });
	cpSync(join(PROJECT, "bin"), join(tree, "bin"), { recursive: true });
	cpSync(join(PROJECT, "package.json"), join(tree, "package.json"));
	symlinkSync(join(PROJECT, "node_modules"), join(tree, "node_modules"));
	mkdirSync(join(tree, "native"));
	if (stub !== undefined) {
		symlinkSync(join(PROJECT, "native", "klais.node"), join(tree, "native", "klais.node"));
		const engine = join(tree, "dist", "engine");
		cpSync(join(engine, "simulation.js"), join(engine, "real-simulation.js"));
		const real = `import { Simulation as Real } from "./real-simulation.js";\n`;
		writeFileSync(join(engine, "simulation.js"), real + stub);
	}
	return tree;
}

import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { runProgram } from "./process.js";

const GIT_SECONDS_MAX = 300;
const BUILD_SECONDS_MAX = 3_600;
/** Built trees of one repository that are kept, the latest used. */
const TREES_MAX = 4;
/** Who holds a lock this long has died without anyone noticing. */
const LOCK_MILLIS_MAX = BUILD_SECONDS_MAX * 1_000;

/** A checkout that is built and ready to be measured. */
export interface Tree {
	readonly folder: string;
	/** Full hash of its commit; the candidate's may have changes on top. */
	readonly commit: string;
	/** What reports call it. */
	readonly label: string;
}

/** What is built, where. */
export interface BuildOrder {
	/** Commands, run in the tree's folder in this order. */
	readonly steps: readonly (readonly string[])[];
	/** Where built trees are kept. */
	readonly cache: string;
	readonly say: (line: string) => void;
	readonly stop: AbortSignal;
}

/** Where trees are kept when nobody names a place. */
export function defaultCache(): string {
	const base = process.env["XDG_CACHE_HOME"];
	return join(base === undefined || base === "" ? join(homedir(), ".cache") : base, "klais", "gate");
}

/** The top folder of the repository around a folder. */
export async function repositoryOf(folder: string): Promise<Result<string, UserError>> {
	const found = await git(folder, ["rev-parse", "--show-toplevel"]);
	return found.ok
		? found
		: err({
				kind: "unsupported",
				message: "not in a git repository: --base needs one, --baseline FILE does not",
				file: folder,
			});
}

/** The tree as it stands, with the changes that are not committed yet, built in place. */
export async function candidateTree(repository: string, order: BuildOrder): Promise<Result<Tree, UserError>> {
	const commit = await git(repository, ["rev-parse", "HEAD"]);
	if (!commit.ok) {
		return err({
			kind: "unsupported",
			message: `the repository has no commit yet (${commit.error})`,
			file: repository,
		});
	}
	const changes = await git(repository, ["status", "--porcelain", "--untracked-files=no"]);
	const dirty = changes.ok && changes.value !== "" ? ", with changes that are not committed" : "";
	const built = await build(repository, "the candidate", order);
	return built === undefined
		? ok({ folder: repository, commit: commit.value, label: `${commit.value.slice(0, 10)}${dirty}` })
		: err(built);
}

/**
 * The tree of another commit, in a worktree of its own: built once, and kept by commit and build steps. Two gates at a time do not build
 * the same tree; a build that failed or was stopped leaves nothing that would be taken for a built one.
 */
export async function baseTree(
	repository: string,
	reference: string,
	order: BuildOrder,
): Promise<Result<Tree, UserError>> {
	const commit = await git(repository, [
		"rev-parse",
		"--verify",
		"--quiet",
		"--end-of-options",
		`${reference}^{commit}`,
	]);
	if (!commit.ok) {
		const message =
			`no such commit: ${JSON.stringify(reference.slice(0, 80))}; in CI fetch the whole history ` +
			"(actions/checkout: fetch-depth: 0)";
		return err({ kind: "not-found", message, file: "--base" });
	}
	const common = await git(repository, ["rev-parse", "--path-format=absolute", "--git-common-dir"]);
	const home = join(order.cache, hash(common.ok ? common.value : repository));
	const folder = join(home, `${commit.value.slice(0, 16)}-${hash(JSON.stringify(order.steps))}`);
	const tree = { folder, commit: commit.value, label: `${reference} (${commit.value.slice(0, 10)})` };
	try {
		await mkdir(home, { recursive: true });
		const locked = await lock(`${folder}.lock`);
		if (!locked) {
			const message = `another gate is building ${tree.label}; try again when it is done, or remove the file`;
			return err({ kind: "unsupported", message, file: `${folder}.lock` });
		}
		try {
			const problem = await ensureBuilt(repository, tree, order);
			await removeOld(repository, home, folder);
			return problem === undefined ? ok(tree) : err(problem);
		} finally {
			await rm(`${folder}.lock`, { force: true });
		}
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		return err({
			kind: "unwritable",
			message: `cannot keep a build (${code ?? message}); name another place with --cache`,
			file: home,
		});
	}
}

async function ensureBuilt(
	repository: string,
	tree: Tree,
	order: BuildOrder,
): Promise<UserError | undefined> {
	const stamp = `${tree.folder}.built`;
	const isBuilt = (await readFile(stamp, "utf8").catch(() => "")) === tree.commit;
	if (isBuilt && (await exists(tree.folder))) {
		await utimes(stamp, new Date(), new Date());
		order.say(`base ${tree.label}: built before`);
		return undefined;
	}
	await removeTree(repository, tree.folder);
	const added = await git(repository, ["worktree", "add", "--detach", "--force", tree.folder, tree.commit]);
	if (!added.ok) {
		return { kind: "unsupported", message: `git makes no worktree: ${added.error}`, file: tree.folder };
	}
	const problem = await build(tree.folder, `base ${tree.label}`, order);
	if (problem !== undefined) {
		await removeTree(repository, tree.folder);
		return problem;
	}
	await writeFile(stamp, tree.commit);
	return undefined;
}

async function build(
	folder: string,
	label: string,
	{ steps, say, stop }: BuildOrder,
): Promise<UserError | undefined> {
	for (const step of steps) {
		say(`${label}: ${step.join(" ")}`);
		const ended = await runProgram(step, { folder, timeoutSeconds: BUILD_SECONDS_MAX, stop });
		if (ended.code !== 0) {
			const how = ended.code === null ? "" : ` with ${ended.code}`;
			const message = `${label} does not build: ${step.join(" ")} ended${how}: ${ended.complaint}`;
			return { kind: "unsupported", message, file: folder };
		}
	}
	return undefined;
}

/** Takes a lock, unless someone alive has it. */
async function lock(path: string): Promise<boolean> {
	for (let turn = 0; turn < 2; turn++) {
		try {
			const handle = await open(path, "wx");
			await handle.writeFile(String(process.pid));
			await handle.close();
			return true;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
				throw error;
			}
			if (await isHeld(path)) {
				return false;
			}
			await rm(path, { force: true });
		}
	}
	return false;
}

async function isHeld(path: string): Promise<boolean> {
	const [owner, age] = await Promise.all([
		readFile(path, "utf8").then(Number, () => 0),
		stat(path).then(
			({ mtimeMs }) => Date.now() - mtimeMs,
			() => 0,
		),
	]);
	if (age > LOCK_MILLIS_MAX) {
		return false;
	}
	try {
		// An owner that has not written its number yet holds it all the same.
		return owner === 0 || process.kill(owner, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}

async function removeOld(repository: string, home: string, kept: string): Promise<void> {
	const names = (await readdir(home)).filter((name) => name.endsWith(".built"));
	const stamps = await Promise.all(
		names.map(async (name) => ({
			folder: join(home, name.slice(0, -".built".length)),
			...(await stat(join(home, name))),
		})),
	);
	const old = stamps
		.filter(({ folder }) => folder !== kept)
		.toSorted((x, y) => y.mtimeMs - x.mtimeMs)
		.slice(TREES_MAX - 1);
	for (const { folder } of old) {
		await removeTree(repository, folder);
	}
}

async function removeTree(repository: string, folder: string): Promise<void> {
	await rm(`${folder}.built`, { force: true });
	await git(repository, ["worktree", "remove", "--force", folder]);
	await rm(folder, { recursive: true, force: true });
	await git(repository, ["worktree", "prune"]);
}

async function exists(path: string): Promise<boolean> {
	return stat(path).then(
		() => true,
		() => false,
	);
}

async function git(folder: string, args: readonly string[]): Promise<Result<string, string>> {
	const ended = await runProgram(["git", ...args], { folder, timeoutSeconds: GIT_SECONDS_MAX });
	return ended.code === 0 ? ok(ended.stdout.trim()) : err(ended.complaint.trim());
}

function hash(text: string): string {
	return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

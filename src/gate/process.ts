import { spawn } from "node:child_process";

/** How a program ended. */
export interface Ended {
	/** null: by a signal, or because it could not be started. */
	readonly code: number | null;
	readonly stdout: string;
	/** Its last words. */
	readonly complaint: string;
}

const COMPLAINT_CHARACTERS = 600;
const OUTPUT_CHARACTERS_MAX = 16_777_216;

/** Where and for how long a program runs. */
export interface Circumstances {
	readonly folder: string;
	readonly timeoutSeconds: number;
	readonly environment?: Readonly<Record<string, string>>;
	/** Ends it early. */
	readonly stop?: AbortSignal;
}

/**
 * Runs a program, without a shell, to its end. It has a process group of its own: on a time-out, or a stop, all of it goes.
 * `node` is the one that runs klais.
 */
export function runProgram(words: readonly string[], circumstances: Circumstances): Promise<Ended> {
	const { folder, timeoutSeconds, environment = {}, stop } = circumstances;
	const [name = "", ...args] = words;
	const program = name === "node" ? process.execPath : name;
	return new Promise((resolve) => {
		if (stop?.aborted === true) {
			resolve({ code: null, stdout: "", complaint: "stopped" });
			return;
		}
		const child = spawn(program, args, {
			cwd: folder,
			env: { ...withoutGit(process.env), ...environment },
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		let [stdout, complaint] = ["", ""];
		const kill = () => {
			try {
				process.kill(-(child.pid as number), "SIGKILL");
			} catch {
				child.kill("SIGKILL");
			}
		};
		let why: string | undefined;
		const timer = setTimeout(() => {
			why = `still running after ${timeoutSeconds} s`;
			kill();
		}, timeoutSeconds * 1_000);
		const stopped = () => {
			why = "stopped";
			kill();
		};
		stop?.addEventListener("abort", stopped, { once: true });
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			if (stdout.length < OUTPUT_CHARACTERS_MAX) {
				stdout += text;
			}
		});
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			complaint = (complaint + text).slice(-COMPLAINT_CHARACTERS);
		});
		const end = (code: number | null, reason: string) => {
			clearTimeout(timer);
			stop?.removeEventListener("abort", stopped);
			resolve({ code, stdout, complaint: reason });
		};
		child.on("error", (error) => end(null, error.message));
		child.on("close", (code, signal) => {
			const ending = signal === null ? "" : `ended by ${signal}`;
			end(why === undefined ? code : null, why ?? (complaint.trim() || ending));
		});
	});
}

/** A git hook sets GIT_DIR and the like, which would point every git below at the hook's repository. */
function withoutGit(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(environment).filter(([key]) => !key.startsWith("GIT_")));
}

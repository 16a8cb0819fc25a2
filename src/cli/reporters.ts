import type { Reporter } from "../reports/report-files.js";

/**
 * The file that a reporter writes, null where it writes none; the first one chosen is the report that klais names last.
 * Kept here because loading the reporters themselves takes longer than `klais list` may.
 */
const REPORT_FILES: Readonly<Record<Reporter, string | null>> = {
	md: "BENCHMARK_RESULTS.md",
	html: "BENCHMARK_RESULTS.html",
	comment: "comment.md",
	png: null,
	junit: "junit.xml",
	json: "results.json",
	github: null,
};

/** What `--reporter` takes. */
export const REPORTER_NAMES = Object.keys(REPORT_FILES) as readonly Reporter[];

/** What is written when the user names no reporter. */
export const DEFAULT_REPORTERS: readonly Reporter[] = ["md", "html", "json"];

/** The name of the file to read first. */
export function mainReport(reporters: ReadonlySet<Reporter>): string {
	const chosen = REPORTER_NAMES.find((name) => reporters.has(name) && REPORT_FILES[name] !== null);
	return (chosen && REPORT_FILES[chosen]) ?? "results.json";
}

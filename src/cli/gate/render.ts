import type { GateReport, GateVerdict, Judged, Plane, PlaneReport } from "../../gate/gate-report.js";
import { command } from "../../reports/github.js";
import { junitDocument } from "../../reports/junit.js";
import { allowedInXml, codeSpan, escapeMarkdown } from "../../reports/markup.js";
import { renderTable } from "../bench/table.js";
import { coloursFor } from "../talk.js";

const TITLES: Readonly<Record<Plane, string>> = {
	exact: "Exact: digests, metrics and work",
	time: "Time: interleaved samples of both builds",
	instructions: "Instructions: counted by callgrind",
};

const ANSWERS: Readonly<Record<GateVerdict, string>> = {
	pass: "PASS: nothing is worse",
	fail: "FAIL",
	inconclusive: "INCONCLUSIVE: the measurements do not tell",
	incomparable: "INCOMPARABLE: nothing was judged",
};

/** GitHub refuses a comment of more than 65,536 characters. */
const MARKDOWN_CHARACTERS_MAX = 60_000;

/** What a terminal shows. */
export function gateTerminal(report: GateReport): string {
	const colours = coloursFor(process.stdout);
	const paint: Record<GateVerdict, (text: string) => string> = {
		pass: colours.green,
		fail: colours.red,
		inconclusive: colours.yellow,
		incomparable: colours.red,
	};
	const blocks = report.planes.map(({ plane, head, judged, notes }) => {
		const rows = judged.map(({ name, cells }) => [name, ...cells]);
		const table = rows.length === 0 ? TITLES[plane] : renderTable({ title: TITLES[plane], head, rows });
		const findings = judged
			.filter(({ verdict, details }) => verdict !== "pass" || details.length > 0)
			.flatMap(({ name, verdict, message, details }) => [
				`${paint[verdict](`${verdict}:`)} ${name}: ${message}`,
				...details.map((line) => `  ${line}`),
			]);
		return [table, ...findings, ...notes.map((note) => `- ${note}`)].join("\n");
	});
	const head = `gate: ${paint[report.verdict](ANSWERS[report.verdict])}\nbase: ${report.base}\ncandidate: ${report.candidate}`;
	return [...blocks, ...report.notes.map((note) => `- ${note}`), head].join("\n\n");
}

/** For a step summary or a comment: never longer than a comment may be. */
export function gateMarkdown(report: GateReport): string {
	const full = markdown(report, true);
	if (full.length <= MARKDOWN_CHARACTERS_MAX) {
		return full;
	}
	const short = markdown(report, false);
	const note = "\n\nCut: the whole is in gate.json.\n";
	return short.length <= MARKDOWN_CHARACTERS_MAX
		? `${short.trimEnd()}${note}`
		: `${short.slice(0, MARKDOWN_CHARACTERS_MAX - note.length).replace(/\n[^\n]*$/, "")}${note}`;
}

function markdown(report: GateReport, withDetails: boolean): string {
	const planes = report.planes.map((plane) => markdownPlane(plane, withDetails));
	const notes = report.notes.map((note) => `- ${escapeMarkdown(note)}`).join("\n");
	return `${[
		`## Gate: ${ANSWERS[report.verdict]}`,
		`Base ${codeSpan(report.base)}, candidate ${codeSpan(report.candidate)}.`,
		...planes,
		notes,
	]
		.filter((part) => part !== "")
		.join("\n\n")}\n`;
}

function markdownPlane({ plane, head, judged, notes }: PlaneReport, withDetails: boolean): string {
	const row = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(" | ")} |`;
	const table = [
		row(head),
		`| ${head.map((_, column) => (column === 0 ? "---" : "---:")).join(" | ")} |`,
		...judged.map(({ name, cells }) => row([name, ...cells])),
	].join("\n");
	const findings = judged
		.filter(({ verdict }) => verdict !== "pass")
		.map(
			({ name, verdict, message, details }) =>
				`- **${verdict}**: ${escapeMarkdown(name)}: ${escapeMarkdown(message)}` +
				(withDetails ? details.map((line) => `\n  - ${escapeMarkdown(line)}`).join("") : ""),
		);
	return [
		`### ${TITLES[plane]}`,
		judged.length === 0 ? "Nothing was judged." : table,
		findings.join("\n"),
		notes.map((note) => `- ${escapeMarkdown(note)}`).join("\n"),
	]
		.filter((part) => part !== "")
		.join("\n\n");
}

/** JUnit XML: a suite a plane, a test case for everything that was judged. What was not decided counts as skipped. */
export function gateJunit(report: GateReport): string {
	const suites = report.planes.map(({ plane, judged }) => {
		const cases =
			judged.length > 0 ? judged.map((one) => junitCase(plane, one)) : [junitCase(plane, NOTHING)];
		return {
			"@name": `gate: ${plane}`,
			"@tests": cases.length,
			"@failures": cases.filter((one) => "failure" in one).length,
			"@skipped": cases.filter((one) => "skipped" in one).length,
			testcase: cases,
		};
	});
	return junitDocument(suites);
}

const NOTHING: Judged = {
	...{ name: "measures something", verdict: "inconclusive", message: "nothing was judged" },
	...{ cells: [], details: [], figures: {} },
};

function junitCase(plane: Plane, { name, verdict, message, details }: Judged) {
	const text = allowedInXml([message, ...details].join("\n"));
	const outcome =
		verdict === "pass"
			? { "system-out": text }
			: verdict === "inconclusive"
				? { skipped: { "@message": text } }
				: { failure: { "@type": verdict, "@message": text } };
	return { "@classname": `gate.${plane}`, "@name": allowedInXml(name), ...outcome };
}

/** Workflow commands: an error a failure, a warning for what was not decided, and the verdict as a notice. */
export function gateGithub(report: GateReport): string {
	const lines = report.planes.flatMap(({ judged }) =>
		judged
			.filter(({ verdict }) => verdict !== "pass")
			.map(({ name, verdict, message, details }) =>
				command(
					verdict === "inconclusive" ? "warning" : "error",
					`klais gate: ${name}`,
					[message, ...details].join("\n"),
				),
			),
	);
	const notice = `${ANSWERS[report.verdict]}\nbase: ${report.base}\ncandidate: ${report.candidate}`;
	return [...lines, command("notice", "klais gate", notice)].join("\n");
}

import { XMLBuilder } from "fast-xml-parser";
import { judgeExpectations } from "../record/expectations.js";
import type { ResultsFile } from "../record/run-record.js";
import { groupByScenario, type LabelledRun, type ScenarioGroup } from "./grouping.js";
import { type LabelledLive, labelledLive } from "./live-groups.js";
import { allowedInXml } from "./markup.js";

/**
 * JUnit XML: a suite a scenario, a test case a run; a suite a live run, a test case a promise. Findings that do not fail
 * go to the case's output.
 */
export function renderJunit(results: ResultsFile): string {
	return junitDocument([...groupByScenario(results).map(suiteOf), ...labelledLive(results).map(liveSuiteOf)]);
}

/** The counts of a suite, and whatever else it holds, under the names that the XML builder knows. */
export interface JunitSuite {
	readonly "@tests": number;
	readonly "@failures": number;
	readonly "@skipped": number;
}

/** Suites as a JUnit document. */
export function junitDocument(suites: readonly JunitSuite[]): string {
	const sum = (key: keyof JunitSuite) => suites.reduce((total, suite) => total + suite[key], 0);
	const builder = new XMLBuilder({
		ignoreAttributes: false,
		attributeNamePrefix: "@",
		format: true,
		indentBy: "\t",
		suppressEmptyNode: true,
		suppressBooleanAttributes: false,
	});
	const xml: string = builder.build({
		"?xml": { "@version": "1.0", "@encoding": "UTF-8" },
		testsuites: {
			"@name": "klais",
			"@tests": sum("@tests"),
			"@failures": sum("@failures"),
			"@skipped": sum("@skipped"),
			testsuite: suites,
		},
	});
	return xml.endsWith("\n") ? xml : `${xml}\n`;
}

function suiteOf(group: ScenarioGroup) {
	const cases = group.runs.map((entry) => caseOf(group, entry));
	return {
		"@name": allowedInXml(group.scenario),
		"@tests": cases.length,
		"@failures": cases.filter((testCase) => testCase.failure !== undefined).length,
		"@skipped": cases.filter((testCase) => testCase.skipped !== undefined).length,
		"@time": group.runs.reduce((total, { run }) => total + run.wall.seconds, 0).toFixed(3),
		testcase: cases,
	};
}

interface LiveCase {
	readonly "@name": string;
	readonly failure?: object;
	readonly skipped?: object;
}

function liveSuiteOf({ live, label, verdict }: LabelledLive) {
	const suite = allowedInXml(`live: ${label}`);
	const found = live.assertions.map(({ name, holds, message }) => ({
		"@classname": suite,
		"@name": allowedInXml(name),
		...(holds
			? { "system-out": allowedInXml(message) }
			: { failure: [{ "@type": "live-broken", "@message": allowedInXml(message) }] }),
	}));
	const others = verdict.findings.filter(({ code }) => code !== "live-broken");
	const ran = {
		"@classname": suite,
		"@name": "runs to its end",
		"@time": live.seconds.toFixed(3),
		...(live.complete ? {} : { skipped: { "@message": "stopped before its end" } }),
		...(verdict.findings.some(({ code }) => code === "nothing-measured")
			? { failure: [{ "@type": "nothing-measured", "@message": "no promise was checked" }] }
			: {}),
		...(others.length > 0
			? {
					"system-out": allowedInXml(
						others.map(({ severity, message }) => `${severity}: ${message}`).join("\n"),
					),
				}
			: {}),
	};
	const cases: readonly LiveCase[] = [ran, ...found];
	return {
		"@name": suite,
		"@tests": cases.length,
		"@failures": cases.filter(({ failure }) => failure !== undefined).length,
		"@skipped": cases.filter(({ skipped }) => skipped !== undefined).length,
		"@time": live.seconds.toFixed(3),
		testcase: cases,
	};
}

function caseOf(group: ScenarioGroup, { run, label, verdict }: LabelledRun) {
	const failures = verdict.findings.filter((finding) => finding.severity === "failure");
	const others = [
		...verdict.findings
			.filter((finding) => finding.severity !== "failure")
			.map(({ severity, message }) => `${severity}: ${message}`),
		...judgeExpectations(run)
			.filter(({ holds }) => holds)
			.map(({ text, found }) => `holds: ${text}, found ${found}`),
	];
	const failure = failures.map((finding) => ({
		"@type": finding.code,
		"@message": allowedInXml(finding.message),
	}));
	// Unfinished is neither passed nor failed; a reader must not take it for passed.
	const skipped =
		!run.complete && failures.length === 0 ? { "@message": "stopped before its end" } : undefined;
	const properties = { seed: run.seed, devices: run.devices, digest: run.digest };
	return {
		"@classname": allowedInXml(group.scenario),
		"@name": allowedInXml(label),
		"@time": run.wall.seconds.toFixed(3),
		properties: {
			property: Object.entries(properties).map(([name, value]) => ({
				"@name": name,
				"@value": allowedInXml(String(value)),
			})),
		},
		...(failure.length > 0 ? { failure } : {}),
		...(skipped === undefined ? {} : { skipped }),
		...(others.length > 0 ? { "system-out": allowedInXml(others.join("\n")) } : {}),
	};
}

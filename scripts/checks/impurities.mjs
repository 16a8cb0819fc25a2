import { parseSync } from "@swc/core";

// Whole objects that would carry a clock or chance out of sight of this check, unless a member is named.
const TAKEN_WHOLE = ["Math", "globalThis", "global"];
const CLOCKS = ["Date", "performance", "setTimeout", "setInterval", "setImmediate"];
const CLOCK_MODULES = ["perf_hooks", "timers", "timers/promises"];
const PROCESS_CLOCKS = ["hrtime", "uptime", "cpuUsage"];
const RANDOM_EXPORTS = [
	"randomBytes",
	"randomInt",
	"randomUUID",
	"randomFill",
	"randomFillSync",
	"webcrypto",
];
// Engines compute these to the last bit each in their own way; sqrt, floor and the like are exact everywhere.
const INEXACT =
	"exp expm1 log log1p log2 log10 pow cbrt hypot sin cos tan asin acos atan atan2 sinh cosh tanh";
const INEXACT_MATH = [...INEXACT.split(" "), "asinh", "acosh", "atanh"];

function memberName(node) {
	const { object, property } = node;
	if (object?.type !== "Identifier") {
		return undefined;
	}
	const key = property.type === "Computed" ? property.expression : property;
	return `${object.value}.${key.value}`;
}

const allImpure = new Set(["Math.random", "crypto.getRandomValues", "crypto.randomUUID"]);
const engineImpure = new Map([
	...PROCESS_CLOCKS.map((name) => [`process.${name}`, "a clock"]),
	...INEXACT_MATH.map((name) => [`Math.${name}`, "not the same on every runtime: use a table"]),
]);

function importProblem(node, isPure) {
	const from = node.source.value.replace(/^node:/, "");
	if (isPure && CLOCK_MODULES.includes(from)) {
		return `imports ${from}, a clock`;
	}
	if (from !== "crypto") {
		return undefined;
	}
	const names = (node.specifiers ?? []).map((each) => (each.imported ?? each.orig ?? each.local)?.value);
	const random = names.find((name) => RANDOM_EXPORTS.includes(name));
	return random === undefined ? undefined : `imports ${random}: chance comes from a seeded stream`;
}

function problemOf(node, isPure) {
	if (node.type === "MemberExpression") {
		const name = memberName(node);
		if (allImpure.has(name)) {
			return `${name}: chance comes from a seeded stream`;
		}
		if (isPure && /^(globalThis|global)\./.test(name)) {
			return `${name}: name the global itself, so that it can be checked`;
		}
		const reason = isPure ? engineImpure.get(name) : undefined;
		return reason === undefined ? undefined : `${name}: ${reason}`;
	}
	if (node.type === "ImportDeclaration" || node.type === "ExportNamedDeclaration") {
		return node.source ? importProblem(node, isPure) : undefined;
	}
	if (!isPure) {
		return undefined;
	}
	if (node.type === "BinaryExpression" && node.operator === "**") {
		return "**: not the same on every runtime: use a table or a product";
	}
	if (node.type !== "Identifier") {
		return undefined;
	}
	if (TAKEN_WHOLE.includes(node.value)) {
		return `${node.value} taken whole: name the member that is needed`;
	}
	return CLOCKS.includes(node.value) ? `${node.value}: a clock` : undefined;
}

/** A property named Date is no clock: only names that are looked up as variables count. */
function children(node) {
	const { property, key, ...rest } = node;
	if (node.type === "MemberExpression" && TAKEN_WHOLE.includes(node.object.value)) {
		return property.type === "Computed" && property.expression.type !== "StringLiteral"
			? [node.object, property]
			: [];
	}
	const computed = [property, key].filter((each) => each !== undefined && each?.type !== "Identifier");
	return [...Object.values(rest), ...computed];
}

/** Clocks and chance in a TypeScript source: Math.random anywhere, the rest only where the code must be pure. */
export function impurities(source, isPure) {
	const bytes = Buffer.from(source);
	const tree = parseSync(source, { syntax: "typescript", target: "es2022", comments: false });
	const found = [];
	const visit = (node, span) => {
		if (node === null || typeof node !== "object") {
			return;
		}
		if (Array.isArray(node)) {
			for (const each of node) {
				visit(each, span);
			}
			return;
		}
		const here = node.span ?? span;
		const what = typeof node.type === "string" ? problemOf(node, isPure) : undefined;
		if (what !== undefined) {
			// swc counts bytes, and from 1.
			const before = bytes.subarray(0, here.start - 1).toString();
			found.push({ line: before.split("\n").length, what });
		}
		for (const child of children(node)) {
			visit(child, here);
		}
	};
	visit(tree.body, tree.span);
	return found;
}

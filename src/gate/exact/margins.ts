import { err, ok, type Result } from "../../units/result.js";
import { parsePercent } from "../suite.js";

/** How far a metric may move: a share of the base's value, an amount, or as far as it likes. */
export type Margin =
	| { readonly kind: "share"; readonly share: number }
	| { readonly kind: "amount"; readonly amount: number }
	| { readonly kind: "any" };

/** A margin for the metrics that a path names; `*` stands for any part of it. */
export interface MarginRule {
	readonly path: string;
	readonly margin: Margin;
}

const PATH = /^[A-Za-z][\w.*-]{0,99}$/;
const AMOUNT = /^\d{1,15}(\.\d{1,9})?$/;

/** Reads a margin such as `2%`, `50` or `any`. */
export function parseMargin(path: string, text: string): Result<MarginRule, string> {
	if (!PATH.test(path)) {
		return err(`expected a metric such as virtual.drainRatio, found ${JSON.stringify(path.slice(0, 60))}`);
	}
	const value = text.trim();
	if (value === "any") {
		return ok({ path, margin: { kind: "any" } });
	}
	const share = parsePercent(value);
	if (share !== undefined) {
		return ok({ path, margin: { kind: "share", share } });
	}
	return AMOUNT.test(value)
		? ok({ path, margin: { kind: "amount", amount: Number(value) } })
		: err(`expected a margin such as 2%, 50 or any, found ${JSON.stringify(value.slice(0, 60))}`);
}

/** The margins that a scenario itself gives, in its key `margins`. What is none there is left out: its loader has said so. */
export function scenarioMargins(config: unknown): MarginRule[] {
	const margins = (config as { margins?: unknown } | null | undefined)?.margins;
	if (typeof margins !== "object" || margins === null) {
		return [];
	}
	return Object.entries(margins).flatMap(([path, text]) => {
		const rule = parseMargin(path, String(text));
		return rule.ok ? [rule.value] : [];
	});
}

/** Whether a rule speaks of a metric. */
export function speaksOf({ path }: MarginRule, metric: string): boolean {
	const parts = path.split("*").map((part) => part.replace(/[.\\^$+?()[\]{}|]/g, "\\$&"));
	return new RegExp(`^${parts.join(".*")}$`).test(metric);
}

/** The margin of a metric: the last rule that speaks of it. */
export function marginOf(rules: readonly MarginRule[], metric: string): Margin | undefined {
	return rules.findLast((rule) => speaksOf(rule, metric))?.margin;
}

/** Whether a value that moved stayed within its margin. */
export function isWithinMargin(margin: Margin, base: unknown, candidate: unknown): boolean {
	if (margin.kind === "any") {
		return true;
	}
	if (typeof base !== "number" || typeof candidate !== "number") {
		return false;
	}
	const allowed = margin.kind === "share" ? margin.share * Math.abs(base) : margin.amount;
	return Math.abs(candidate - base) <= allowed;
}

/** As the command line has it. */
export function formatMargin(margin: Margin): string {
	switch (margin.kind) {
		case "any":
			return "any";
		case "share":
			return `${Number((margin.share * 100).toPrecision(6))}%`;
		case "amount":
			return String(margin.amount);
	}
}

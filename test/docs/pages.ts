import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Page {
	/** Relative to the repository. */
	readonly path: string;
	readonly text: string;
}

export interface Fence {
	readonly language: string;
	readonly text: string;
}

/** README.md and everything below docs. */
export function pages(): Page[] {
	const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
	const paths = [
		"README.md",
		...docs.filter((name) => name.endsWith(".md")).map((name) => join("docs", name)),
	];
	return paths.sort().map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

/** Fenced code blocks. */
export function fences({ text }: Page): Fence[] {
	return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = "", body = ""]) => ({
		language,
		text: body,
	}));
}

/** A page without its code. */
export function prose({ text }: Page): string {
	return text.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");
}

/** Anchors of a page's headings, as GitHub makes them. */
export function anchors({ text }: Page): string[] {
	const headings = text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#{1,6} (.+)$/gm);
	return [...headings].map(([, heading = ""]) =>
		heading
			.toLowerCase()
			.replace(/[^\p{L}\p{N} _-]/gu, "")
			.replaceAll(" ", "-"),
	);
}

/** The arguments of every klais command in the text: in fences, and in back-ticks. */
export function klaisCommands(page: Page): string[] {
	const shell = fences(page).flatMap(({ language, text }) => (language === "csv" ? [] : text.split("\n")));
	const inline = [...page.text.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
	return [...shell, ...inline].flatMap((line) => {
		const [, command] = /(?:^|\s)(?:node bin\/klais\.js|klais) ((?!=).*)$/.exec(line.trim()) ?? [];
		return command === undefined || line.trimStart().startsWith("#") ? [] : [command];
	});
}

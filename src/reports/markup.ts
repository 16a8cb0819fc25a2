/** Marks a name as code within a sentence; a backtick of its own would end the mark early. */
export function code(name: string): string {
	return `\`${name.replaceAll("`", "'")}\``;
}

/** Sets a sentence with code marks: `plain` writes what lies outside the backticks, `coded` what lies inside. */
export function setMarks(
	sentence: string,
	plain: (text: string) => string,
	coded: (text: string) => string,
): string {
	return sentence
		.split("`")
		.map((part, index) => (index % 2 === 0 ? plain(part) : coded(part)))
		.join("");
}

/** Text as Markdown shows it, whatever it holds: no markup, no HTML, no new line. */
export function escapeMarkdown(text: string): string {
	return text
		.replace(/\s+/g, " ")
		.replace(/[\\`*_[\]|~#]/g, "\\$&")
		.replace(/&/g, "&amp;")
		.replace(/</g, "&lt;")
		.replace(/>/g, "&gt;");
}

/** A code span of any text. */
export function codeSpan(text: string): string {
	const line = text.replace(/\s+/g, " ");
	const longest = Math.max(...[...line.matchAll(/`+/g)].map((run) => run[0].length), 0);
	const fence = "`".repeat(longest + 1);
	const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
	return `${fence}${pad}${line}${pad}${fence}`;
}

/** A code span within a table, where even in code a bar would end the cell. */
export function codeSpanInCell(text: string): string {
	return codeSpan(text).replace(/\|/g, "\\|");
}

/** A fenced block of any text. */
export function codeBlock(text: string, language: string): string {
	const longest = Math.max(...[...text.matchAll(/`+/g)].map((run) => run[0].length), 2);
	const fence = "`".repeat(longest + 1);
	return `${fence}${language}\n${text}\n${fence}`;
}

/** Text as HTML and XML hold it: the special characters escaped, characters that XML forbids left out. */
export function escapeXml(text: string): string {
	return text
		.replace(XML_FORBIDDEN, "")
		.replace(/&/g, "&amp;")
		.replace(/</g, "&lt;")
		.replace(/>/g, "&gt;")
		.replace(/"/g, "&quot;")
		.replace(/'/g, "&#39;");
}

/** Leaves out what no XML document may hold, not even escaped: control characters and lone surrogates. */
export function allowedInXml(text: string): string {
	return text.replace(XML_FORBIDDEN, "");
}

const XML_FORBIDDEN =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what XML forbids
	/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

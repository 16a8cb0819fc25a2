/** The words of a command line as `shellCommand` writes it: bare, or within single quotes. */
export function shellWords(command: string): string[] {
	const words = [...command.matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/g)].map(([word]) => word);
	return words.map((word) =>
		word.replace(/'([^']*)'|\\(.)/g, (_, quoted, escaped) => quoted ?? escaped ?? ""),
	);
}

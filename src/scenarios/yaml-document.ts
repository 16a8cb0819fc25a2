import {
	Composer,
	type CST,
	Document,
	isAlias,
	isMap,
	isScalar,
	isSeq,
	Lexer,
	LineCounter,
	Parser,
	visit,
	type YAMLError,
} from "yaml";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { MAX_YAML_ALIASES, MAX_YAML_DEPTH, MAX_YAML_LEXEMES } from "./limits.js";

/** Where a value sits in a document: keys and list positions from the root. */
export type Path = readonly (string | number)[];

/** A place in a file, as far as it is known. Lines and columns count from 1. */
export type Place = Pick<UserError, "file" | "line" | "column">;

/** Where the values of a file, or of several that make one, stand. */
export interface Places {
	/** The place of the value at `path`, or of its nearest parent that the file holds. */
	placeOf(path: Path): Place;
	/** The place of the key at the end of `path`. */
	placeOfKey(path: Path): Place;
}

/** A parsed YAML file that knows where each of its values stands. */
export class YamlDocument implements Places {
	readonly #document: Document;
	readonly #lines: LineCounter;
	readonly #file: string;

	private constructor(document: Document, lines: LineCounter, file: string) {
		this.#document = document;
		this.#lines = lines;
		this.#file = file;
	}

	/** Plain values as a document that no file holds: it knows no places. */
	static ofPlain(value: unknown, file: string): YamlDocument {
		const document = new Document(value, { aliasDuplicateObjects: false });
		return new YamlDocument(document, new LineCounter(), file);
	}

	/** Parses one YAML 1.2 document. Errors: syntax, limit (nesting). */
	static parse(source: string, file: string): Result<YamlDocument, UserError[]> {
		const lines = new LineCounter();
		const tokens = tokenise(source, lines, file);
		if (!tokens.ok) {
			return err([tokens.error]);
		}
		const documents = compose(tokens.value, source.length, lines);
		const [document, second] = documents;
		if (document === undefined) {
			return err([{ kind: "syntax", file, message: "is empty: expected a map of keys" }]);
		}
		const problems: UserError[] = documents
			.flatMap((each) => [...each.errors, ...each.warnings])
			.map((problem) => syntaxError(problem, lines, file));
		if (second !== undefined) {
			const at = lines.linePos(second.range?.[0] ?? 0);
			problems.push({
				kind: "syntax",
				file,
				line: at.line,
				message: "holds more than one YAML document: expected one",
			});
		}
		return problems.length > 0 ? err(problems) : ok(new YamlDocument(document, lines, file));
	}

	/** The document as plain values. Errors: limit (aliases that multiply), syntax (aliases that lead nowhere). */
	toPlain(): Result<unknown, UserError> {
		try {
			return ok(this.#document.toJS({ maxAliasCount: MAX_YAML_ALIASES }));
		} catch {
			const place = this.#placeOfBrokenAlias();
			if (place !== undefined) {
				return err({ kind: "syntax", ...place, message: "the alias names no anchor before it" });
			}
			const message = `more than ${MAX_YAML_ALIASES} resolved aliases, or aliases within themselves, are refused`;
			return err({ kind: "limit", file: this.#file, message });
		}
	}

	placeOf(path: Path): Place {
		for (let length = path.length; length >= 0; length -= 1) {
			const node = this.#document.getIn(path.slice(0, length), true);
			const offset = rangeStart(node);
			if (offset !== undefined) {
				return this.#placeAt(offset);
			}
		}
		return { file: this.#file };
	}

	placeOfKey(path: Path): Place {
		const parent = this.#document.getIn(path.slice(0, -1), true);
		if (isMap(parent)) {
			const last = path.at(-1);
			const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
			const offset = rangeStart(pair?.key);
			if (offset !== undefined) {
				return this.#placeAt(offset);
			}
		}
		return this.placeOf(path);
	}

	/**
	 * Sets the value at `path`, creating maps on the way. A text that is short for a map (`link: lte-m`) becomes that
	 * map (`{ profile: lte-m }`) first: `longForms` holds, for the paths that have such a form, the text's key. Returns why the path is impossible, or undefined.
	 */
	set(path: Path, value: unknown, longForms: ReadonlyMap<string, string>): string | undefined {
		for (let length = 1; length < path.length; length += 1) {
			const parent = path.slice(0, length);
			const node = this.#document.getIn(parent, true);
			if (node === undefined || (isScalar(node) && node.value === null)) {
				this.#document.setIn(parent, this.#document.createNode({}));
			} else if (isScalar(node) && longForms.has(parent.join("."))) {
				const key = longForms.get(parent.join(".")) ?? "";
				this.#document.setIn(parent, this.#document.createNode({ [key]: node.value }));
			} else if (isSeq(node) && !isIndexOf(path[length], node.items.length)) {
				return `${parent.join(".")} is a list of ${node.items.length}: expected a position from 0, found "${path[length]}"`;
			} else if (isAlias(node)) {
				return `${parent.join(".")} is a YAML alias: set the value at its anchor`;
			} else if (!isMap(node) && !isSeq(node)) {
				return `${parent.join(".")} is not a map`;
			}
		}
		this.#document.setIn(path, this.#document.createNode(value));
		return undefined;
	}

	#placeOfBrokenAlias(): Place | undefined {
		let offset: number | undefined;
		visit(this.#document, {
			Alias: (_, alias) => {
				offset ??= alias.resolve(this.#document) === undefined ? rangeStart(alias) : undefined;
			},
		});
		return offset === undefined ? undefined : this.#placeAt(offset);
	}

	#placeAt(offset: number): Place {
		const { line, col } = this.#lines.linePos(offset);
		return { file: this.#file, line, column: col };
	}
}

function isIndexOf(part: string | number | undefined, length: number): boolean {
	return /^\d{1,6}$/.test(String(part)) && Number(part) < length;
}

function rangeStart(node: unknown): number | undefined {
	const range = (node as { range?: readonly number[] | null } | undefined | null)?.range;
	return range?.[0];
}

/** What the lexer puts before the text of a scalar that is not quoted, so that it is not taken for punctuation. */
const SCALAR_MARK = "\x1f";

/** Token by token, so that what would recurse deeply or compare without end is refused before anything does. */
function tokenise(source: string, lines: LineCounter, file: string): Result<CST.Token[], UserError> {
	lines.addNewLine(0);
	const parser = new Parser(lines.addNewLine);
	const tokens: CST.Token[] = [];
	const refuse = (message: string): Result<CST.Token[], UserError> =>
		err({ kind: "limit", file, line: lines.linePos(parser.offset).line, message });
	let lexemes = 0;
	let aliases = 0;
	let previous = "";
	for (const lexeme of new Lexer().lex(source)) {
		lexemes += 1;
		aliases += lexeme.startsWith("*") && previous !== SCALAR_MARK ? 1 : 0;
		previous = lexeme;
		for (const token of parser.next(lexeme)) {
			tokens.push(token);
		}
		// The parser's stack holds the open collections, and a document or scalar more.
		if (parser.stack.length > MAX_YAML_DEPTH + 2) {
			return refuse(`is nested deeper than the limit of ${MAX_YAML_DEPTH} levels`);
		}
		if (lexemes > MAX_YAML_LEXEMES) {
			return refuse(`has more than ${MAX_YAML_LEXEMES} words and signs: bulk data belongs in a cohort file`);
		}
		if (aliases > MAX_YAML_ALIASES) {
			return refuse(`has more than ${MAX_YAML_ALIASES} aliases`);
		}
	}
	tokens.push(...parser.end());
	return ok(tokens);
}

function compose(tokens: readonly CST.Token[], length: number, lineCounter: LineCounter): Document.Parsed[] {
	const composer = new Composer({ lineCounter, prettyErrors: true, logLevel: "error" });
	return [...composer.compose(tokens, false, length)];
}

function syntaxError(problem: YAMLError, lines: LineCounter, file: string): UserError {
	const { line, col } = lines.linePos(problem.pos[0]);
	return {
		kind: "syntax",
		file,
		line,
		column: col,
		message: problem.message.split(" at line ")[0] ?? problem.message,
	};
}

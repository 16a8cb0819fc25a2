import { dirname, join, resolve } from "node:path";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { MAX_LAYERS, MAX_SCENARIO_BYTES } from "./limits.js";
import { LONG_FORMS } from "./overrides.js";
import { readTextFile } from "./read-text.js";
import { isFileName, scenarioFile } from "./scenario-file.js";
import { SCENARIO_SCHEMA_ID } from "./schema.js";
import { type Path, type Place, type Places, YamlDocument } from "./yaml-document.js";

/** Where a scenario's text comes from. */
export interface ScenarioSource {
	/** Its name in messages. */
	readonly file: string;
	/** The folder that the files which it names are relative to. */
	readonly folder: string;
}

interface Layer {
	readonly document: YamlDocument;
	readonly plain: unknown;
	readonly source: ScenarioSource;
}

/** A scenario file and those that it extends, as one. */
export class ScenarioLayers implements Places {
	/** The file itself first, then what it extends, what that extends, and so on. */
	readonly #layers: readonly [Layer, ...Layer[]];
	/** All of them merged; settings may be written into it. */
	readonly document: YamlDocument;

	private constructor(layers: readonly [Layer, ...Layer[]]) {
		this.#layers = layers;
		const [own, ...others] = layers;
		this.document =
			others.length === 0 ? own.document : YamlDocument.ofPlain(mergedLayers(layers), own.source.file);
	}

	/** Reads what a file extends, to the end. Errors: those of reading and parsing, a chain that is too long or a circle. */
	static read(text: string, source: ScenarioSource, path?: string): Result<ScenarioLayers, UserError[]> {
		const own = readLayer(text, source);
		if (!own.ok) {
			return own;
		}
		const layers: [Layer, ...Layer[]] = [own.value];
		const seen = path === undefined ? [] : [resolve(path)];
		for (let last: Layer = own.value; extendsOf(last) !== undefined; ) {
			const next = readParent(last, seen);
			if (!next.ok) {
				return next;
			}
			last = next.value;
			layers.push(last);
		}
		// A file that extends none is checked as a whole, with its schema.
		const wrong =
			layers.length === 1 ? undefined : layers.map(schemaProblem).find((each) => each !== undefined);
		return wrong === undefined ? ok(new ScenarioLayers(layers)) : err([wrong]);
	}

	placeOf(path: Path): Place {
		return this.#ownerOf(path).document.placeOf(path);
	}

	placeOfKey(path: Path): Place {
		return this.#ownerOf(path).document.placeOfKey(path);
	}

	/** The file that the value at `path` stands in. */
	sourceOf(path: Path): ScenarioSource {
		return this.#ownerOf(path).source;
	}

	/** The youngest file that has a say on `path`; where none has, the youngest that comes nearest. */
	#ownerOf(path: Path): Layer {
		let [nearest] = this.#layers;
		let longest = 0;
		for (const layer of this.#layers) {
			const { known, decides } = heldPrefix(layer.plain, path);
			if (decides) {
				return layer;
			}
			if (known > longest) {
				longest = known;
				nearest = layer;
			}
		}
		return nearest;
	}
}

function readLayer(text: string, source: ScenarioSource): Result<Layer, UserError[]> {
	const document = YamlDocument.parse(text, source.file);
	if (!document.ok) {
		return document;
	}
	const plain = document.value.toPlain();
	return plain.ok ? ok({ document: document.value, plain: plain.value, source }) : err([plain.error]);
}

function extendsOf({ plain }: Layer): string | undefined {
	const name = isMap(plain) ? plain["extends"] : undefined;
	// Whatever else stands there is for the schema to refuse.
	return typeof name === "string" && name.trim() !== "" ? name.trim() : undefined;
}

function readParent(child: Layer, seen: string[]): Result<Layer, UserError[]> {
	const name = extendsOf(child) ?? "";
	const fail = (kind: UserError["kind"], message: string): Result<Layer, UserError[]> =>
		err([{ kind, ...child.document.placeOf(["extends"]), key: "extends", message }]);
	const { file, folder } = child.source;
	const named = isFileName(name)
		? { path: resolve(folder, name), shownAs: join(dirname(file), name) }
		: undefined;
	const found = named === undefined ? scenarioFile(name) : ok(named);
	if (!found.ok) {
		return fail(found.error.kind, found.error.message);
	}
	const { path, shownAs } = found.value;
	if (seen.includes(resolve(path))) {
		return fail(
			"schema",
			`${shownAs} comes back to itself: a scenario cannot extend itself, however far around`,
		);
	}
	seen.push(resolve(path));
	if (seen.length > MAX_LAYERS) {
		return fail("limit", `the chain of files that extend each other is longer than ${MAX_LAYERS}`);
	}
	const text = readTextFile(path, MAX_SCENARIO_BYTES, shownAs);
	if (!text.ok) {
		return fail(text.error.kind, `${shownAs}: ${text.error.message}`);
	}
	return readLayer(text.value, { file: shownAs, folder: dirname(path) });
}

/** The file's schema decides what its other keys mean: each has its own. */
function schemaProblem({ document, plain }: Layer): UserError | undefined {
	const schema = isMap(plain) ? plain["schema"] : undefined;
	if (schema === SCENARIO_SCHEMA_ID) {
		return undefined;
	}
	const found = schema === undefined ? "the key is missing" : `found ${JSON.stringify(schema).slice(0, 60)}`;
	const message = `expected ${SCENARIO_SCHEMA_ID}, the only schema that this version reads: ${found}`;
	return { kind: "schema", ...document.placeOf(["schema"]), key: "schema", message };
}

/** Maps are merged key by key; anything else, lists among it, is replaced as a whole. */
function mergedLayers(layers: readonly Layer[]): unknown {
	return layers
		.map(({ plain }, index) => (index === 0 ? withoutKeys(plain, ["extends"]) : inherited(plain)))
		.reduceRight((base, over) => merged(base, over, ""));
}

/** A child has a name of its own, or its file's. */
function inherited(plain: unknown): unknown {
	return withoutKeys(plain, ["extends", "name"]);
}

function withoutKeys(plain: unknown, keys: readonly string[]): unknown {
	return isMap(plain)
		? Object.fromEntries(Object.entries(plain).filter(([key]) => !keys.includes(key)))
		: plain;
}

function merged(base: unknown, over: unknown, path: string): unknown {
	const short = LONG_FORMS.get(path);
	const long = short !== undefined && typeof base === "string" ? { [short]: base } : base;
	if (!isMap(long) || !isMap(over)) {
		return over;
	}
	const own = Object.entries(over).map(([key, value]): [string, unknown] => [
		key,
		Object.hasOwn(long, key) ? merged(long[key], value, path === "" ? key : `${path}.${key}`) : value,
	]);
	return Object.fromEntries([...Object.entries(long), ...own]);
}

/** How many parts of `path` the values hold, and whether what lies beyond is theirs to decide: a list or a text hides others. */
function heldPrefix(plain: unknown, path: Path): { readonly known: number; readonly decides: boolean } {
	let value = plain;
	for (const [known, part] of path.entries()) {
		if (!isMap(value)) {
			return { known, decides: true };
		}
		if (!Object.hasOwn(value, String(part))) {
			return { known, decides: false };
		}
		value = value[String(part)];
	}
	return { known: path.length, decides: true };
}

function isMap(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Markdown tables out of the scenario schema, the profiles and the catalogue.
/** A Markdown table. */
export function table(head, rows) {
	const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
	return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** What a key takes, in words, from its JSON Schema. */
function takes(schema) {
	if (schema.const !== undefined) {
		return `\`${schema.const}\``;
	}
	if (schema.enum !== undefined) {
		return schema.enum.map((value) => `\`${value}\``).join(", ");
	}
	if (schema.anyOf !== undefined) {
		return schema.anyOf.map(takes).join(", or ");
	}
	if (schema.description !== undefined) {
		return schema.description;
	}
	if (schema.type === "array") {
		return schema.items.enum === undefined
			? `a list of at most ${schema.maxItems}`
			: `a list of ${takes(schema.items)}`;
	}
	const texts = {
		boolean: "`true`, `false`",
		string: "a text",
		integer: "a whole number",
		object: "a map, see below",
	};
	return texts[schema.type] ?? schema.type;
}

/** The table of one map of the schema; `defaults`: those that `meanings` leave open. Throws where meanings and schema differ. */
export function keysTable(name, meanings, properties, defaults = {}) {
	const unknown = Object.keys(meanings).filter((key) => !Object.hasOwn(properties, key));
	const missing = Object.keys(properties).filter((key) => !Object.hasOwn(meanings, key));
	if (unknown.length + missing.length > 0) {
		throw new Error(
			`src/scenarios/meanings.ts, ${name}: not in the schema: ${unknown}; without a meaning: ${missing}`,
		);
	}
	const rows = Object.entries(properties).map(([key, schema]) => {
		const [meaning, otherwise, taken = takes(schema)] = meanings[key];
		return [`\`${key}\``, meaning, taken, otherwise ?? defaults[key] ?? fail(name, key)];
	});
	return table(["key", "what it is", "takes", "if left out"], rows);
}

/** The map among the alternatives of a schema. */
export function mapOf(schema) {
	const map = schema.anyOf?.find((one) => one.type === "object") ?? schema;
	return map.properties;
}

/** The keys of all alternatives of an outage together; `kind` takes every kind. */
export function outageKeys(schema) {
	const alternatives = schema.items.oneOf.map((one) => one.properties);
	const kinds = alternatives.flatMap(({ kind }) => kind.enum ?? [kind.const]);
	return { ...Object.assign({}, ...alternatives.toReversed()), kind: { enum: kinds } };
}

/** One column per profile, one row per field. */
export function profilesTable(profiles, format) {
	const names = Object.keys(profiles);
	const fields = Object.keys(profiles[names[0]]).filter((field) => field !== "sources" && field !== "name");
	const rows = fields.map((field) => {
		const cells = names.map((name) => format(field, profiles[name][field]));
		return [`\`${cells[0].key}\``, ...cells.map(({ text }) => text)];
	});
	return table(["", ...names.map((name) => `\`${name}\``)], rows);
}

function fail(name, key) {
	throw new Error(`src/scenarios/meanings.ts, ${name}: no default for ${key}`);
}

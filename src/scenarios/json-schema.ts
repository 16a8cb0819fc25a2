import { z } from "zod";
import { ATTACK_KINDS, MEANINGS, type Meaning, OUTAGE_KINDS } from "./meanings.js";
import { scenarioSchema } from "./schema.js";

/** As far as this file looks into a JSON Schema. */
interface Schema {
	description?: string;
	properties?: Record<string, Schema>;
	anyOf?: Schema[];
	oneOf?: Schema[];
	items?: Schema;
	enum?: string[];
	const?: string;
	required?: string[];
}

/**
 * The JSON Schema (draft 2020-12) of a scenario file, for editors and other tools: every key with what it means. A file that
 * extends another need not have the keys that a file of its own must have.
 */
export function scenarioJsonSchema(): Record<string, unknown> {
	const schema = z.toJSONSchema(scenarioSchema, { io: "input" }) as Schema;
	describe(schema);
	const { required: ofDevices = [], ...devices } = schema.properties?.["devices"] ?? {};
	const { required = [], ...rest } = schema;
	return {
		...rest,
		properties: { ...schema.properties, devices },
		required: ["schema"],
		if: { required: ["extends"] },
		else: { required, properties: { devices: { required: ofDevices } } },
		$id: "urn:klais:scenario:1",
		title: "KLAIS bench scenario",
	};
}

function describe(root: Schema): void {
	const devices = root.properties?.["devices"];
	const firmware = mapOf(devices?.properties?.["firmware"]);
	const maps: Readonly<Record<keyof typeof MEANINGS, readonly (Schema | undefined)[]>> = {
		scenario: [root],
		devices: [devices],
		clocks: [devices?.properties?.["clocks"]],
		firmware: [firmware],
		backoff: [mapOf(firmware?.properties?.["backoff"])],
		link: [mapOf(devices?.properties?.["link"])],
		gateways: [root.properties?.["gateways"]],
		broker: [root.properties?.["broker"]],
		swarm: [mapOf(root.properties?.["gateways"]?.properties?.["swarm"])],
		outages: root.properties?.["outages"]?.items?.oneOf ?? [],
		attacks: root.properties?.["attacks"]?.items?.oneOf ?? [],
	};
	for (const [name, schemas] of Object.entries(maps)) {
		const meanings: Readonly<Record<string, Meaning>> = MEANINGS[name as keyof typeof MEANINGS];
		for (const [key, property] of schemas.flatMap((schema) => Object.entries(schema?.properties ?? {}))) {
			property.description = [meaningOf(meanings[key]), takesOf(property, meanings[key])]
				.filter(Boolean)
				.join(" ");
		}
	}
	const kindsOf = { ...OUTAGE_KINDS, ...ATTACK_KINDS };
	for (const kind of [...maps.outages, ...maps.attacks].map((each) => each?.properties?.["kind"])) {
		const kinds = kind?.enum ?? [kind?.const ?? ""];
		(kind as Schema).description = kinds.map((each) => `${each}: ${kindsOf[each]}`).join("\n");
	}
}

/** The map among the alternatives of a schema. */
function mapOf(schema: Schema | undefined): Schema | undefined {
	return schema?.anyOf?.find(({ properties }) => properties !== undefined);
}

function meaningOf(meaning: Meaning | undefined): string {
	const [words = "", otherwise] = meaning ?? [];
	const otherwiseWords = otherwise?.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
	const isNeeded = otherwiseWords === undefined || otherwiseWords.startsWith("must be there");
	return isNeeded ? words : `${words} If left out: ${otherwiseWords}.`;
}

/** What the type alone says already, such as a range with an example. */
function takesOf({ description }: Schema, [, , takes] = [] as unknown as Meaning): string {
	const words = takes ?? description;
	return words === undefined ? "" : `Takes ${words}.`;
}

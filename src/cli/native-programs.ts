import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the programs of the live path; `KLAIS_NATIVE_BIN` names another one. */
export function programsFolder(): string {
	const named = process.env["KLAIS_NATIVE_BIN"];
	return named === undefined || named === ""
		? fileURLToPath(new URL("../../native/target/release", import.meta.url))
		: resolve(named);
}

import { describe, expect, test } from "vitest";
import { folderOf, runScript } from "./support.js";

const FORBID = "#![forbid(unsafe_code)]\n";

function crate(name: string, dependencies = "", source = FORBID): Record<string, string> {
	const head = `[package]\nname = "klais-${name}"\nversion = "0.1.0"\nedition = "2024"\n`;
	const manifest = `${head}\n[dependencies]\n${dependencies}\n[lints]\nworkspace = true\n`;
	return { [`${name}/Cargo.toml`]: manifest, [`${name}/src/lib.rs`]: source };
}

function workspace(...crates: readonly Record<string, string>[]): string {
	const files: Record<string, string> = Object.assign({}, ...crates);
	const members = Object.keys(files).flatMap((path) => /^([\w-]+)\/Cargo.toml$/.exec(path)?.[1] ?? []);
	const manifest = `[workspace]\nresolver = "3"\nmembers = ${JSON.stringify(members)}\n`;
	return folderOf({ ...files, "Cargo.toml": `${manifest}\n[workspace.lints.rust]\nunsafe_code = "deny"\n` });
}

const units = 'klais-units = { path = "../units" }\n';

describe("the Rust layer check", () => {
	test("passes what keeps to the table", () => {
		const folder = workspace(crate("units"), crate("dam", `${units}siphasher = "1"\n`));
		const { code, printed } = runScript("check-rust-layers.mjs", [folder]);
		expect(printed).toBe("rust layers: 2 crates, no problem\n");
		expect(code).toBe(0);
	});

	test("finds pure crates that know of each other", () => {
		const needsSync = 'klais-burst-sync = { path = "../burst-sync" }\n';
		const folder = workspace(crate("units"), crate("burst-sync", units), crate("dam", units + needsSync));
		const { code, printed } = runScript("check-rust-layers.mjs", [folder]);
		expect(printed).toContain("klais-dam -> klais-burst-sync: against the layer table");
		expect(code).toBe(1);
	});

	test("finds an outside crate that brings in a clock, but lets tests have theirs", () => {
		const folder = workspace(
			crate("units"),
			crate("dam", `${units}tokio = "1"\n[dev-dependencies]\nproptest = "1"\n`),
		);
		const { printed } = runScript("check-rust-layers.mjs", [folder]);
		expect(printed).toContain("klais-dam -> tokio: not on the list");
		expect(printed).not.toContain("proptest");
	});

	test("finds a crate root without forbid(unsafe_code), save in the binding", () => {
		const folder = workspace(crate("units", "", "//! Nothing.\n"), crate("node", "", "//! Nothing.\n"));
		const { printed } = runScript("check-rust-layers.mjs", [folder]);
		expect(printed.match(/lacks #!\[forbid\(unsafe_code\)\]/g)).toHaveLength(1);
		expect(printed).toMatch(/units.src.lib\.rs: lacks/);
	});

	test("finds a crate without a row, and one outside the lints", () => {
		const folder = workspace(
			{ ...crate("units"), "units/Cargo.toml": '[package]\nname = "klais-units"\n' },
			crate("other"),
		);
		const { printed } = runScript("check-rust-layers.mjs", [folder]);
		expect(printed).toContain("klais-other: has no row in the layer table");
		expect(printed).toMatch(/units.Cargo\.toml: lacks \[lints\] workspace = true/);
	});
});

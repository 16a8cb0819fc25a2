import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { programsFolder } from "../../src/cli/native-programs.js";
import { isExecutable, XDP_PROGRAM } from "../../src/live/machine.js";
import { klais, newFolder, PROJECT } from "../cli/support.js";

const FAKES = join(PROJECT, "test", "live", "pcap-fakes");
const IS_ROOT = process.platform === "linux" && process.geteuid?.() === 0;
const IS_BUILT = isExecutable(join(programsFolder(), XDP_PROGRAM));
const NOBODY = "65534";

/** The header of a classic capture of Ethernet, and its records. */
function pcap(...frames: readonly Buffer[]): Buffer {
	const header = Buffer.from("d4c3b2a1020004000000000000000000ffff000001000000", "hex");
	const records = frames.flatMap((frame, index) => {
		const record = Buffer.alloc(16);
		record.writeUInt32LE(index, 0);
		record.writeUInt32LE(frame.length, 8);
		record.writeUInt32LE(frame.length, 12);
		return [record, frame];
	});
	return Buffer.concat([header, ...records]);
}

/** A frame of a protocol that nobody knows, or a runt. */
function frame(bytes: number): Buffer {
	const unknown = Buffer.alloc(bytes, 0x5a);
	if (bytes >= 14) {
		unknown.writeUInt16BE(0x88b5, 12);
	}
	return unknown;
}

function folderWith(files: Readonly<Record<string, Buffer>>): string {
	const folder = newFolder();
	for (const [name, bytes] of Object.entries(files)) {
		writeFileSync(join(folder, name), bytes);
	}
	return folder;
}

describe("captures that cannot be replayed", () => {
	const cwd = () => folderWith({ "a.pcap": pcap(frame(60)) });

	test.each([
		[["--pcap", "a.pcap", "none.pcap"], "none.pcap: no such capture file, or it cannot be read"],
		[["--pcap", ""], "--pcap: expected a capture file, found nothing"],
		[["live-smoke", "--pcap", "a.pcap"], "--pcap: a capture needs no scenario"],
		[["live-smoke", "--json"], "--json: prints what became of a capture: only with --pcap"],
	])("%j: exit 2", async (args, message) => {
		const place = { cwd: cwd(), env: { KLAIS_NATIVE_BIN: FAKES } };
		const { code, stderr, stdout } = await klais(["live", ...args], place);
		expect(stderr).toContain(message);
		expect(stdout).toBe("");
		expect(code).toBe(2);
	});

	test("without the program: exit 2, and how to get it", async () => {
		const folder = cwd();
		const place = { cwd: folder, env: { KLAIS_NATIVE_BIN: folder } };
		const { code, stderr } = await klais(["live", "--pcap", "a.pcap"], place);
		expect(stderr).toMatch(/klais-xdp: no such program: npm run setup:live builds it/);
		expect(code).toBe(2);
	});

	test.skipIf(!IS_ROOT || !isExecutable("/usr/bin/setpriv"))("as another user than root: exit 2", () => {
		const folder = cwd();
		chmodSync(folder, 0o755);
		const args = ["--reuid", NOBODY, "--clear-groups", process.execPath, join(PROJECT, "bin", "klais.js")];
		const run = spawnSync("setpriv", [...args, "live", "--pcap", join(folder, "a.pcap")], {
			cwd: "/",
			encoding: "utf8",
			env: { ...process.env, KLAIS_NATIVE_BIN: FAKES, NO_COLOR: "1" },
		});
		expect(run.stderr).toBe("loading the XDP program needs root: run klais as root\n");
		expect(run.status).toBe(2);
	});
});

describe.skipIf(!IS_ROOT)("what klais makes of a replay", () => {
	const replay = (mode: string, ...args: readonly string[]) =>
		klais(["live", "--pcap", "a.pcap", "b.pcap", ...args], {
			cwd: folderWith({ "a.pcap": pcap(), "b.pcap": pcap() }),
			env: { KLAIS_NATIVE_BIN: FAKES, FAKE_REPLAY: mode },
		});

	test("a table for each capture", async () => {
		const { code, stderr, stdout } = await replay("good");
		expect(stderr).toBe("");
		expect(code).toBe(0);
		expect(stdout.match(/foreign frames unchanged: 1,200 of 1,200/g)).toHaveLength(2);
		expect(stdout).toMatch(/ a\.pcap: 1,237 packets in .+\n(.*\n)*.* b\.pcap: 1,237 packets/);
		expect(stdout).toMatch(/dropped \(XDP_DROP\) +│ +20 /);
		expect(stdout).toMatch(/counted foreign-arp +│ +1,200 /);
		expect(stdout).toContain("not run: too long, this kernel takes 4,096 bytes: 10");
		expect(stdout).toContain("not run: too short, less than an Ethernet header: 3");
		expect(stdout).toContain("dropped: mac: 20 (packet 9 at 0.250000 s, …)");
	});

	test("JSON with the names that the user gave", async () => {
		const { code, stdout } = await replay("good", "--json");
		const { captures, schema } = JSON.parse(stdout) as { captures: { file: string }[]; schema: string };
		expect(schema).toBe("klais.replay-report/1");
		expect(captures.map(({ file }) => file)).toEqual(["a.pcap", "b.pcap"]);
		expect(code).toBe(0);
	});

	test.each([
		["harms", 1, "failure: 4 foreign packets did not pass unchanged"],
		["refuses", 2, "a.pcap: byte 24: packet 1 is cut off"],
		["dies", 1, "klais-xdp ended by a signal"],
		["garbles", 1, "JSON"],
	])("one that %s: exit %i", async (mode, expected, message) => {
		const { code, stderr, stdout } = await replay(mode);
		expect(stderr).toContain(message);
		expect(code).toBe(expected);
		expect(stdout === "").toBe(mode !== "harms");
	});
});

describe.skipIf(!IS_ROOT || !IS_BUILT)("captures through the program", () => {
	test("foreign frames pass unchanged, and what was not run is not said to have passed", async () => {
		const files = { "a.pcap": pcap(frame(60), frame(9), frame(1_514)), "b.pcap": pcap(frame(14)) };
		const args = ["live", "--pcap", "a.pcap", "--pcap", "b.pcap"];
		const { code, stderr, stdout } = await klais(args, { cwd: folderWith(files) });
		expect(stderr).toBe("");
		expect(code).toBe(0);
		expect(stdout).toMatch(/foreign frames unchanged: 2 of 2\n(.*\n)*foreign frames unchanged: 1 of 1/);
		expect(stdout).toMatch(/counted foreign-non-ip +│ +2 /);
		expect(stdout).toContain("not run: too short, less than an Ethernet header: 1");
	});

	test("a capture that is cut off: exit 2, with file and byte, and nothing printed of the whole ones", async () => {
		const whole = pcap(frame(60), frame(60));
		const cwd = folderWith({
			"a.pcap": whole,
			"cut.pcap": whole.subarray(0, -1),
			"empty.pcap": pcap().subarray(24),
		});
		const cut = await klais(["live", "--pcap", "a.pcap", "cut.pcap"], { cwd });
		expect(cut).toMatchObject({ code: 2, stdout: "" });
		expect(cut.stderr).toContain(
			"cut.pcap: byte 100: packet 2 is cut off: 76 bytes of it are announced and 75",
		);
		const empty = await klais(["live", "--pcap", "empty.pcap"], { cwd });
		expect(empty).toMatchObject({ code: 2, stdout: "" });
		expect(empty.stderr).toContain("empty.pcap: byte 0: the file is empty");
	});
});

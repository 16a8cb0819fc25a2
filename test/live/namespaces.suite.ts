import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { programsFolder } from "../../src/cli/native-programs.js";
import {
	buildTopology,
	isAlive,
	removeLeftovers,
	removeTopology,
	takeInAnswers,
} from "../../src/live/namespaces.js";
import { inNamespace } from "../../src/live/tools.js";
import { namespacesOf, ownerOf, topologyOf } from "../../src/live/topology.js";
import { because, deadPid, NO_NAMESPACES, NO_PACKETS, namespacesOfProcess } from "./support.js";

describe("names of namespaces", () => {
	test("tell whose run they are, and which are none of ours", () => {
		expect(namespacesOf(topologyOf(77, 2)).map(ownerOf)).toEqual([77, 77, 77]);
		expect(["klais-77-gw", "klais-x-fleet", "my-klais-7-fleet", "fleet"].map(ownerOf)).toEqual([
			undefined,
			undefined,
			undefined,
			undefined,
		]);
	});
});

describe.skipIf(NO_NAMESPACES !== "")(`namespaces${because(NO_NAMESPACES)}`, () => {
	test("carry packets from any device to any gateway, both ways, with whole checksums", async () => {
		const topology = topologyOf(process.pid, 2);
		onTestFinished(() => removeTopology(topology));
		await buildTopology(topology);
		const echo =
			'const s=require("dgram").createSocket("udp4");s.on("message",(m,r)=>s.send(m,r.port,r.address));s.bind(7447,()=>console.log("up"))';
		const place = topology.gateways[1];
		const at = inNamespace(place?.namespace ?? "", process.execPath, ["-e", echo]);
		const gateway = spawn(at.program, at.args, { stdio: ["ignore", "pipe", "inherit"] });
		onTestFinished(() => void gateway.kill("SIGKILL"));
		await once(gateway.stdout, "data");
		const ask =
			'const s=require("dgram").createSocket("udp4");s.on("message",(m,r)=>{console.log(String(m),r.address);s.close()});' +
			's.bind(40000,"10.95.255.254",()=>s.send("hi",7447,"10.77.1.1"))';
		const from = inNamespace(topology.fleet, process.execPath, ["-e", ask]);
		const answer = execFileSync(from.program, from.args, { encoding: "utf8", timeout: 10_000 });
		expect(answer).toBe("hi 10.77.1.1\n");
		const features = inNamespace(topology.fleet, "ethtool", ["-k", "klf1"]);
		const text = execFileSync(features.program, features.args, { encoding: "utf8" });
		expect(text).toContain("tx-checksumming: off");
	});

	test.skipIf(NO_PACKETS !== "")(
		`take in at once what a filter sends back${because(NO_PACKETS)}`,
		async () => {
			const topology = topologyOf(process.pid, 2);
			onTestFinished(() => removeTopology(topology));
			await buildTopology(topology);
			await takeInAnswers(topology, programsFolder());
			for (const { fleetLink } of topology.gateways) {
				const link = execFileSync("ip", ["-n", topology.fleet, "link", "show", fleetLink], {
					encoding: "utf8",
				});
				expect(link).toMatch(/ prog\/xdp id \d+/);
			}
			// Twice is once too often: somebody else's program would be there.
			await expect(takeInAnswers(topology, programsFolder())).rejects.toThrow(/klf0/);
		},
	);

	test("of a process that is gone are removed, with what still runs in them; those of others stay", async () => {
		const gone = topologyOf(deadPid(), 1);
		const own = topologyOf(process.pid, 1);
		onTestFinished(() => {
			removeTopology(gone);
			removeTopology(own);
		});
		await buildTopology(gone);
		await buildTopology(own);
		const stay = inNamespace(gone.fleet, process.execPath, ["-e", "setInterval(()=>{},1e6);console.log(1)"]);
		const orphan = spawn(stay.program, stay.args, { stdio: ["ignore", "pipe", "inherit"] });
		await once(orphan.stdout, "data");
		const ended = once(orphan, "exit");
		expect(removeLeftovers()).toEqual(expect.arrayContaining([...namespacesOf(gone)]));
		await ended;
		expect(isAlive(orphan.pid ?? 0)).toBe(false);
		expect(namespacesOfProcess(ownerOf(gone.fleet))).toEqual([]);
		expect(namespacesOfProcess(process.pid).length).toBe(2);
	});
});

// The Rust layer check: `node scripts/check-rust-layers.mjs [folder of the Cargo workspace]`.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { finish } from "./checks/report.mjs";
import { at } from "./setup/paths.mjs";

// What is pure may need arithmetic and hashing, never a clock, a socket or a random number.
const PURE_EXTERNALS = ["arrayvec", "bitflags", "libm", "siphasher", "subtle"];

/** One row a crate: the workspace's crates it may need and, if it is pure, the outside crates it may. */
const layers = {
	"klais-units": { needs: [], externals: [] },
	"klais-dam": { needs: ["klais-units"], externals: PURE_EXTERNALS },
	"klais-burst-sync": { needs: ["klais-units"], externals: PURE_EXTERNALS },
	"klais-swarm": {
		needs: ["klais-units"],
		// SWIM itself, its buffers and its source of chance; signatures.
		externals: ["bytes", "ed25519-dalek", "foca", "rand_core", ...PURE_EXTERNALS],
	},
	"klais-brain": { needs: ["klais-units"], externals: PURE_EXTERNALS },
	"klais-gateway": {
		needs: ["klais-units", "klais-dam", "klais-burst-sync", "klais-brain"],
		externals: PURE_EXTERNALS,
	},
	// A gateway as one of a swarm: what it sees goes in, what follows comes out.
	"klais-gateway-swarm": {
		needs: ["klais-units", "klais-dam", "klais-burst-sync", "klais-gateway", "klais-swarm"],
		externals: PURE_EXTERNALS,
	},
	// The protocol in a small world, explored to its end: tests alone.
	"klais-model-check": {
		needs: ["klais-units", "klais-dam", "klais-burst-sync", "klais-gateway"],
		externals: ["ahash", "stateright", ...PURE_EXTERNALS],
	},
	// The same decisions in the kernel: held against those of the pure crates.
	"klais-xdp": {
		needs: ["klais-units", "klais-dam", "klais-burst-sync", "klais-gateway"],
		externals: [
			"clap",
			"etherparse",
			"libbpf-cargo",
			"libbpf-rs",
			"libc",
			"nix",
			"pcap-parser",
			"serde",
			"serde_json",
		],
		mayBeUnsafe: true,
	},
	// Readings into a real broker: threads, time and librdkafka are its job.
	"klais-kafka": {
		needs: ["klais-units", "klais-burst-sync", "klais-gateway"],
		externals: ["hdrhistogram", "nix", "rdkafka", "tokio", "tracing"],
	},
	// The gateway's pipeline over real sockets and in real time.
	"klais-gatewayd": {
		needs: [
			...["klais-units", "klais-dam", "klais-burst-sync", "klais-gateway", "klais-swarm"],
			...["klais-gateway-swarm", "klais-kafka", "klais-xdp"],
		],
		externals: [
			...[
				"axum",
				"bytes",
				"clap",
				"hdrhistogram",
				"ipnet",
				"nix",
				"prefix-trie",
				"prometheus-client",
				"serde",
				"serde_json",
			],
			...["serde_path_to_error", "tokio", "tracing", "tracing-subscriber"],
		],
	},
	// Real devices over real sockets: time, signals and files are its job.
	"klais-fleet": {
		needs: ["klais-units", "klais-burst-sync", "klais-dam", "klais-gateway"],
		externals: ["clap", "hdrhistogram", "hex", "nix", "serde", "serde_json", "serde_path_to_error"],
	},
	"klais-node": {
		needs: [
			...["klais-units", "klais-dam", "klais-burst-sync", "klais-gateway"],
			...["klais-swarm", "klais-gateway-swarm"],
		],
		externals: ["napi", "napi-build", "napi-derive", "xxhash-rust", ...PURE_EXTERNALS],
		mayBeUnsafe: true,
	},
};

function packages(folder) {
	const args = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
	const result = spawnSync("cargo", args, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
	if (result.status !== 0) {
		throw new Error(`cargo metadata failed: ${result.stderr ?? result.error}`);
	}
	return JSON.parse(result.stdout).packages;
}

function dependencyProblems(crate, row, members) {
	return crate.dependencies.flatMap(({ name, kind }) => {
		const where = `${crate.name} -> ${name}${kind === null ? "" : ` (${kind})`}`;
		if (members.has(name)) {
			return row.needs.includes(name) ? [] : [`${where}: against the layer table`];
		}
		// Test helpers never reach a build that runs.
		const allowed = kind === "dev" || row.externals.includes(name);
		return allowed ? [] : [`${where}: not on the list of outside crates that it may need`];
	});
}

function unsafeProblems(crate, row) {
	if (row.mayBeUnsafe === true) {
		return [];
	}
	return crate.targets
		.filter(({ kind }) => kind.some((each) => each.endsWith("lib") || each === "bin"))
		.filter(({ src_path }) => !/^#!\[forbid\(unsafe_code\)\]$/m.test(readFileSync(src_path, "utf8")))
		.map(({ src_path }) => `${src_path}: lacks #![forbid(unsafe_code)]`);
}

/** A crate outside the workspace's lints would be a crate without any. */
function lintProblems(crate) {
	const manifest = readFileSync(crate.manifest_path, "utf8");
	return /^\[lints\]\s*\nworkspace = true$/m.test(manifest)
		? []
		: [`${crate.manifest_path}: lacks [lints] workspace = true`];
}

function check(folder) {
	const crates = packages(folder);
	const members = new Set(crates.map(({ name }) => name));
	const problems = crates.flatMap((crate) => {
		const row = layers[crate.name];
		if (row === undefined) {
			return [`${crate.name}: has no row in the layer table`];
		}
		return [
			...dependencyProblems(crate, row, members),
			...unsafeProblems(crate, row),
			...lintProblems(crate),
		];
	});
	if (crates.length === 0) {
		problems.push("the workspace has no crate: nothing was checked");
	}
	return { problems, checked: `${crates.length} crates` };
}

finish("rust layers", check(resolve(process.argv[2] ?? at("native"))));

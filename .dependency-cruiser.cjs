// The layer table of the design: what a folder of src may import, its own files apart. The command line
// may import all, so it has no row.
const layers = {
	units: [],
	scenarios: ["units"],
	record: ["units"],
	engine: ["units", "scenarios", "record"],
	live: ["units", "scenarios", "record"],
	reports: ["units", "record"],
	gate: ["units", "record"],
};

const layerRules = Object.entries(layers).map(([layer, allowed]) => ({
	name: `layer-${layer}`,
	comment: `src/${layer} may import ${allowed.length > 0 ? allowed.join(", ") : "no other folder"} of src`,
	severity: "error",
	from: { path: `^src/${layer}/` },
	to: { path: "^src/", pathNot: `^src/(${[layer, ...allowed].join("|")})/` },
}));

module.exports = {
	forbidden: [
		...layerRules,
		{
			name: "known-folders-only",
			comment: "a new folder of src needs its row in the layer table",
			severity: "error",
			from: { path: "^src/", pathNot: `^src/(${[...Object.keys(layers), "cli"].join("|")})/` },
			to: {},
		},
		{
			name: "src-stands-alone",
			comment: "nothing that ships may need what does not",
			severity: "error",
			from: { path: "^src/" },
			to: { path: "^(test|scripts|bench)/" },
		},
		{
			name: "native-through-the-engine",
			comment: "only the engine talks to the native library",
			severity: "error",
			from: { path: "^src/", pathNot: "^src/(engine|cli)/" },
			to: { path: "^native/" },
		},
		{
			name: "no-cycles",
			severity: "error",
			from: {},
			to: { circular: true },
		},
		{
			name: "resolvable",
			severity: "error",
			from: {},
			// The native library is built, not committed.
			to: { couldNotResolve: true, pathNot: "\\.node$" },
		},
		{
			name: "no-development-packages",
			comment: "src may only need what package.json lists under dependencies",
			severity: "error",
			from: { path: "^src/" },
			to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
		},
	],
	options: {
		// dependency-cruiser does not know TypeScript 7: without another parser it sees no module at all.
		parser: "swc",
		tsPreCompilationDeps: true,
		doNotFollow: { path: "node_modules" },
		exclude: { path: "(^|/)(dist|target)/" },
		enhancedResolveOptions: {
			exportsFields: ["exports"],
			conditionNames: ["import", "node", "default", "types"],
			extensions: [".ts", ".js", ".json", ".node"],
		},
	},
};

// Who may import whom (house rules of CONTRIBUTING.md), checked by dependency-cruiser: `pnpm dependency-rules`.

const tests = "([.]test|/test-[^/]+)[.]ts$";

/** Adapters, storages and workers see the core and their own libraries, never each other. */
const plugins = ["adapter-[^/]+", "storage-[^/]+", "archiver"].join("|");

module.exports = {
	forbidden: [
		{
			name: "no-circles",
			severity: "error",
			from: {},
			to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
		},
		{
			name: "core-knows-no-platform",
			comment:
				"time, disk, network and randomness are ports; the binding to node:test is for nothing but Node",
			severity: "error",
			from: { path: "^packages/core/src", pathNot: [tests, "/conformance/node-test[.]ts$"] },
			to: { dependencyTypes: ["core"] },
		},
		{
			name: "core-knows-no-plugin",
			severity: "error",
			from: { path: "^packages/core/src" },
			to: { path: `^packages/(?!core/)` },
		},
		{
			name: "tsyringe-only-in-the-container",
			severity: "error",
			from: { path: "^packages", pathNot: ["^packages/core/src/container/", tests] },
			to: { path: "node_modules/(tsyringe|reflect-metadata)/" },
		},
		{
			name: "core-does-not-reach-its-container",
			severity: "error",
			from: { path: "^packages/core/src/(?!container/)", pathNot: tests },
			to: { path: "^packages/core/src/container/" },
		},
		{
			name: "plugins-do-not-know-each-other",
			severity: "error",
			from: { path: `^packages/(${plugins})/` },
			to: { path: `^packages/(${plugins}|cli)/`, pathNot: "^packages/$1/" },
		},
		{
			name: "conformance-and-testing-in-tests-only",
			severity: "error",
			from: { path: "^packages/(?!testing/|harness/|core/src/conformance/)[^/]+/src", pathNot: tests },
			to: { path: "^packages/(testing|harness|core/src/conformance)/" },
		},
		{
			name: "conformance-in-tests-of-examples-only",
			severity: "error",
			from: { path: "^examples/", pathNot: tests },
			to: { path: "^packages/core/src/conformance/" },
		},
		{
			name: "nothing-needs-the-simulation",
			severity: "error",
			from: { path: "^(packages/(?!simulation/)|examples/)" },
			to: { path: "^packages/simulation/" },
		},
		{
			name: "packages-by-name",
			comment: "never into another package's files",
			severity: "error",
			from: { path: "^packages/([^/]+)/" },
			to: { path: "^packages/", pathNot: "^packages/$1/", dependencyTypes: ["local"] },
		},
		{
			name: "no-unlisted-dependency",
			comment:
				"peerDependenciesMeta counts as a list that is not known: an optional peer is npm-no-pkg and npm-peer",
			severity: "error",
			from: { path: "^(packages|examples)/[^/]+/src", pathNot: tests },
			to: {
				dependencyTypes: ["npm-no-pkg", "npm-unknown"],
				dependencyTypesNot: ["npm-peer"],
				pathNot: "^packages/",
			},
		},
		{
			name: "resolvable",
			severity: "error",
			from: {},
			to: { couldNotResolve: true },
		},
		{
			name: "examples-use-what-is-public",
			severity: "error",
			from: { path: "^examples/" },
			to: {
				path: "^packages/[^/]+/src/(?!index|ports/index|container/index|conformance/(?:index|vitest|node-test)|express-handler[.]ts|use-reelkeep[.]ts|v1[.]ts)",
				pathNot: "^packages/harness/",
			},
		},
	],
	options: {
		// An example's, where Node is new enough; the rules run on older ones too.
		builtInModules: { add: ["node:sqlite", "sqlite"] },
		doNotFollow: { path: "node_modules" },
		exclude: { path: "^(packages|examples)/[^/]+/dist/" },
		tsPreCompilationDeps: true,
		tsConfig: { fileName: "tsconfig.test.json" },
		enhancedResolveOptions: {
			exportsFields: ["exports"],
			conditionNames: ["@reelkeep/source", "import", "require", "node", "default", "types"],
			extensions: [".ts", ".js", ".cjs", ".mjs", ".json", ".d.ts"],
		},
	},
};

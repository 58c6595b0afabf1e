import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** Imports in plain Node, outside vitest, what `tsc -b` built; tells what else that loaded. */
function loadedBy(specifier: string): {
	readonly names: readonly string[];
	readonly loaded: readonly string[];
} {
	// Every CommonJS package that was loaded is in require.cache, also when an ES module imported it.
	const script = `
		import { createRequire } from "node:module";
		const module = await import(${JSON.stringify(specifier)});
		const { cache } = createRequire(process.cwd() + "/x.js");
		console.log(JSON.stringify({ names: Object.keys(module), loaded: Object.keys(cache) }));
	`;
	const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
		cwd: packageFolder,
		encoding: "utf8",
		env: { PATH: process.env.PATH },
	});
	return JSON.parse(output);
}

const packagesOf = (loaded: readonly string[]): ReadonlySet<string> =>
	new Set(
		loaded.flatMap(
			(file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file.replaceAll("\\", "/"))?.[1] ?? [],
		),
	);

describe("in plain Node, the built package", () => {
	for (const [specifier, name] of [
		["@reelkeep/core", "createReceive"],
		["@reelkeep/core/ports", "EVENT_STORE"],
		["@reelkeep/core/conformance", "eventStoreSuite"],
	] as const) {
		test(`${specifier} loads no tsyringe and no reflect-metadata`, () => {
			const { names, loaded } = loadedBy(specifier);
			const packages = packagesOf(loaded);
			expect(names).toContain(name);
			expect(packages).not.toContain("tsyringe");
			expect(packages).not.toContain("reflect-metadata");
			// The search finds what is there: the core decodes with io-ts.
			expect(packages.has("io-ts")).toBe(specifier === "@reelkeep/core");
		});
	}

	test("@reelkeep/core/container loads both, and brings the polyfill itself", () => {
		const { names, loaded } = loadedBy("@reelkeep/core/container");
		expect(names).toContain("createReelkeep");
		expect(packagesOf(loaded)).toContain("tsyringe");
		expect(packagesOf(loaded)).toContain("reflect-metadata");
	});

	test("@reelkeep/core/ports loads nothing but itself", () => {
		expect([...packagesOf(loadedBy("@reelkeep/core/ports").loaded)]).toEqual([]);
	});
});

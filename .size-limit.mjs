// What each public entry point weighs (`pnpm size`): its bundle with all dependencies, minified, brotli. The limits, in
// sizes.json, are some 10 % above what was measured; whoever needs more raises one in the same commit, and says why.

import { readFileSync } from "node:fs";
import { entriesOf, publicPackages } from "./scripts/pack-packages.mjs";

const limits = JSON.parse(readFileSync(new URL("sizes.json", import.meta.url), "utf8"));

const checks = publicPackages().flatMap((manifest) =>
	entriesOf(manifest).map(({ name, file }) => ({
		name,
		path: file,
		limit: limits[name],
		modifyEsbuildConfig: (config) => ({
			...config,
			platform: "node",
			format: "esm",
			// Who has these has them anyway; who has not does without.
			external: Object.keys({ ...manifest.peerDependencies, ...manifest.optionalDependencies }),
		}),
	})),
);

for (const { name, limit } of checks) {
	if (limit === undefined) throw new Error(`sizes.json has no limit for ${name}`);
}
for (const name of Object.keys(limits)) {
	if (!checks.some((check) => check.name === name)) throw new Error(`sizes.json: there is no ${name}`);
}

// biome-ignore lint/style/noDefaultExport: size-limit reads its configuration from one.
export default checks;

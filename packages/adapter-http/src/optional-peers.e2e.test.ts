// The built files load where no framework is installed: they import none.

import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const dist = new URL("../dist/", import.meta.url);
const { peerDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

it("no built file imports a framework when it runs", () => {
	const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) => /\.js$/.test(file));
	const imports = files.flatMap((file) =>
		[...readFileSync(new URL(file, dist), "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^".][^"]*)"/g)].map(
			([, name = ""]) => name,
		),
	);
	expect(imports).toContain("@reelkeep/core");
	for (const name of Object.keys(peerDependencies)) {
		expect(imports.filter((one) => one === name || one.startsWith(`${name}/`))).toEqual([]);
	}
});

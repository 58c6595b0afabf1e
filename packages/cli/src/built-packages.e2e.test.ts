// What users install, imported by plain Node: vitest's own resolution hides paths that Node refuses.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const run = promisify(execFile);
const packages = ["core", "adapter-http", "storage-fs", "archiver"];

function entriesOf(name: string): readonly string[] {
	const manifest = JSON.parse(readFileSync(new URL(`../../${name}/package.json`, import.meta.url), "utf8"));
	return Object.keys(manifest.exports).map((path) => `@reelkeep/${name}${path.slice(1)}`);
}

describe("plain Node imports the built package", () => {
	for (const entry of packages.flatMap(entriesOf)) {
		test(entry, async () => {
			const script = `const names = Object.keys(await import("${entry}")); console.log(names.length)`;
			const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
				cwd: fileURLToPath(new URL("..", import.meta.url)),
			});
			expect(Number(stdout)).toBeGreaterThan(0);
		});
	}

	test("and CommonJS requires it", async () => {
		const script = `console.log(typeof require("@reelkeep/core/container").createReelkeep)`;
		const { stdout } = await run(process.execPath, ["--no-warnings", "-e", script], {
			cwd: fileURLToPath(new URL("..", import.meta.url)),
		});
		expect(stdout.trim()).toBe("function");
	});
});

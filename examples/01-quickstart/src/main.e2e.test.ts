// The example, and the code of the root README, run by plain Node against the built packages.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runExample } from "@reelkeep/harness/example-process";
import { freePort } from "@reelkeep/harness/free-port";
import { afterAll, expect, test } from "vitest";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "reelkeep-example-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function outputOf(script: string, port: number): Promise<string> {
	const environment = { REELKEEP_PORT: String(port), REELKEEP_DATA: join(folder, "quickstart") };
	const { code, output } = await runExample({ script, folder, port, environment });
	expect(code).toBe(0);
	return output;
}

test("the quickstart prints what its README says", async () => {
	const port = await freePort();
	const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
	const expected = readme.split("```").at(-2)?.trim().replace("8080", String(port));
	expect((await outputOf(join(dist, "main.js"), port)).trim()).toBe(expected);
});

test("the code of the root README works as it stands", async () => {
	const port = await freePort();
	const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
	const code = /```ts\n([\s\S]+?)```/.exec(readme)?.[1] ?? "";
	expect(code.trim().split("\n").length).toBeLessThanOrEqual(18);
	const script = join(dist, "readme.mjs");
	writeFileSync(script, code.replace("8080", String(port)));
	expect(await outputOf(script, port)).toBe("reported 9dacb134-1735-4e3b-bb33-3bea06ae54ad\n");
});

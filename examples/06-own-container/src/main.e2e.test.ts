// Built by tsc, built by esbuild and run by tsx, which write no decorator metadata: the same output.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transcribe } from "@reelkeep/harness/transcript";
import { build } from "esbuild";
import { afterAll, expect, test } from "vitest";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "reelkeep-container-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const [expected = "", expectedPlain = ""] = [...readme.matchAll(/\n\n```\n([^`]+)```/g)].map(
	([, text]) => text,
);

async function outputOf(script: string, cwd = folder, options: readonly string[] = []): Promise<string> {
	const { stdout, stderr } = await run(process.execPath, [...options, script], { cwd });
	transcribe("cli", stdout + stderr);
	expect(stderr).toBe("");
	return stdout;
}

/** Everything in one file, so that it runs where no package is installed. */
async function bundle(entry: string): Promise<string> {
	const outfile = join(folder, `${entry}.mjs`);
	await build({
		entryPoints: [fileOf(`./${entry}.ts`)],
		outfile,
		bundle: true,
		format: "esm",
		platform: "node",
		target: "node20",
		logLevel: "error",
	});
	return outfile;
}

test("a service with its own container and decorated classes prints what the README says", async () => {
	expect(await outputOf(fileOf("../dist/main.js"))).toBe(expected);
});

test("so does its bundle by esbuild, without decorator metadata and without a package beside it", async () => {
	const script = await bundle("main");
	const text = readFileSync(script, "utf8");
	expect([/__decorateParam\(0, /.test(text), /__metadata\("design/.test(text)]).toEqual([true, false]);
	expect(await outputOf(script)).toBe(expected);
});

test("plain factories need no container, built by tsc or by esbuild", async () => {
	expect(await outputOf(fileOf("../dist/plain.js"))).toBe(expectedPlain);
	const script = await bundle("plain");
	expect(await outputOf(script)).toBe(expectedPlain);
	expect(readFileSync(script, "utf8").includes("tsyringe")).toBe(false);
});

// In the example's folder: tsx looks there for the tsconfig that allows decorators of parameters.
test("both run as they stand under tsx", async () => {
	const underTsx = (script: string) => outputOf(fileOf(script), fileOf(".."), ["--import", "tsx"]);
	expect(await underTsx("./main.ts")).toBe(expected);
	expect(await underTsx("./plain.ts")).toBe(expectedPlain);
});

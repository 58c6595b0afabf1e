import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transcribe } from "@reelkeep/harness/transcript";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("the example prints what its README says", async () => {
	const { stdout, stderr } = await promisify(execFile)(process.execPath, [script]);
	transcribe("cli", stdout + stderr);
	expect(stderr).toBe("");
	const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
	expect(stdout.trim()).toBe(readme.split("```").at(-2)?.trim());
});

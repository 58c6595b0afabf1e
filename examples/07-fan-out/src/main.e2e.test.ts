import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transcribe } from "@reelkeep/harness/transcript";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** The two services print when they are told: what each says is in order, the two of them are not. */
const of = (text: string, name: string): readonly string[] =>
	text.split("\n").filter((line) => line.startsWith(name));

test("the example prints what its README says", async () => {
	const { stdout, stderr } = await promisify(execFile)(process.execPath, [script]);
	transcribe("cli", stdout + stderr);
	expect(stderr).toBe("");
	const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
	const expected = readme.split("```").at(-2)?.trim() ?? "";
	for (const name of ["billing", "mail", "--", "parked"])
		expect(of(stdout, name)).toEqual(of(expected, name));
	expect(stdout.trim().split("\n").sort()).toEqual(expected.split("\n").sort());
});

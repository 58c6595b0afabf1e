import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runExample, sendSampleReport } from "@reelkeep/harness/example-process";
import { freePort } from "@reelkeep/harness/free-port";
import { afterAll, expect, test } from "vitest";
import { hasSqlite } from "./has-sqlite.js";

const script = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "reelkeep-sqlite-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function outputOf(says: string): Promise<readonly string[]> {
	const port = await freePort();
	const environment = { PORT: String(port), REELKEEP_DATA: join(folder, "data") };
	const meanwhile = async (address: string): Promise<void> => {
		expect(await sendSampleReport(address)).toContain('"consume_state":1');
	};
	const { code, output } = await runExample({ script, folder, port, says, environment, meanwhile });
	expect(code).toBe(0);
	return output.trim().replace(String(port), "8080").split("\n");
}

test.runIf(hasSqlite)(
	"prints what its README says, and after a restart knows the callback and its checkpoint",
	async () => {
		const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
		const expected = readme.split("```").at(-2)?.trim().split("\n");
		expect(await outputOf("RecordingReported")).toEqual(expected);
		expect(await outputOf("listening")).toEqual(expected?.slice(0, 1));
	},
);

test("the stores have less than 120 lines of code", () => {
	const source = readFileSync(new URL("./sqlite-stores.ts", import.meta.url), "utf8");
	const code = source.split("\n").filter((line) => !/^\s*(\/\/.*|\/\*\*.*)?$/.test(line));
	expect(code.length).toBeLessThan(120);
});

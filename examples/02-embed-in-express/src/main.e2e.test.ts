import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runExample } from "@reelkeep/harness/example-process";
import { freePort } from "@reelkeep/harness/free-port";
import { afterAll, expect, test } from "vitest";

const script = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "reelkeep-express-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the example prints what its README says, and the service's own routes work as before", async () => {
	const port = await freePort();
	const { code, output } = await runExample({
		script,
		folder,
		port,
		environment: { PORT: String(port), REELKEEP_DATA: join(folder, "data") },
		async meanwhile(address) {
			const headers = { "content-type": "application/json" };
			const order = { method: "POST", headers, body: '{"item":"tea"}' };
			expect(await (await fetch(`${address}/orders`, order)).json()).toEqual({ ordered: "tea" });
			const recordings = await (await fetch(`${address}/recordings`)).json();
			expect(recordings).toEqual(["9dacb134-1735-4e3b-bb33-3bea06ae54ad"]);
			expect((await fetch(`${address}/readyz`)).status).toBe(200);
		},
	});
	expect(code).toBe(0);
	const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
	expect(output.trim()).toBe(readme.split("```").at(-2)?.trim().replace("8080", String(port)));
});

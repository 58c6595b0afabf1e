// The example, and the code of the root README, run by plain Node against the built packages.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sampleCallback } from "@reelkeep/testing/sample-callback";
import { sendRaw, signedRequest } from "@reelkeep/testing/top-request";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/testing/transcript";
import { afterAll, expect, test } from "vitest";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "reelkeep-example-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(script: string, port: number): { readonly child: ChildProcess; readonly output: () => string } {
	const child = spawn(process.execPath, [script], {
		cwd: folder,
		stdio: ["ignore", "pipe", "pipe"],
		env: {
			...process.env,
			...{ REELKEEP_PORT: String(port), REELKEEP_DATA: join(folder, "quickstart") },
			...{ APP_KEY: TEST_APP_KEY, APP_SECRET: TEST_SECRET },
		},
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (chunk: Buffer) => {
			if (stream === child.stdout) output += chunk.toString("utf8");
			transcribe("cli", chunk.toString("utf8"));
		});
	}
	return { child, output: () => output };
}

function freePort(): Promise<number> {
	return new Promise((resolve) => {
		const server = createServer().listen(0, "127.0.0.1", () => {
			const address = server.address();
			server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
		});
	});
}

/** A callback whose video is on loopback, which the default policy does not let the archiver reach. */
async function report(port: number): Promise<string> {
	const callback = sampleCallback({ download_url: "http://127.0.0.1:9/v.mp4?Signature=x" });
	const requestParam = JSON.stringify(callback);
	const request = signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
	return (await sendRaw(`http://127.0.0.1:${port}`, request)).body;
}

async function reportAndStop(script: string, port: number): Promise<string> {
	const { child, output } = run(script, port);
	try {
		await expect.poll(() => report(port).catch(() => ""), { timeout: 15_000 }).toContain('"consume_state":1');
		await expect.poll(output, { timeout: 5_000 }).toContain("reported");
		child.kill("SIGTERM");
		expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
		return output();
	} finally {
		child.kill("SIGKILL");
	}
}

test("the quickstart prints what its README says", async () => {
	const port = await freePort();
	const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
	const expected = readme.split("```").at(-2)?.trim().replace("8080", String(port));
	expect((await reportAndStop(join(dist, "main.js"), port)).trim()).toBe(expected);
});

test("the code of the root README works as it stands", async () => {
	const port = await freePort();
	const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
	const code = /```ts\n([\s\S]+?)```/.exec(readme)?.[1] ?? "";
	expect(code.trim().split("\n").length).toBeLessThanOrEqual(18);
	const script = join(dist, "readme.mjs");
	writeFileSync(script, code.replace("8080", String(port)));
	expect(await reportAndStop(script, port)).toBe("reported 9dacb134-1735-4e3b-bb33-3bea06ae54ad\n");
});

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort } from "@reelkeep/harness/free-port";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { sampleCallback } from "@reelkeep/testing";
import { expect, test, vi } from "vitest";
import { send } from "./producer.js";

const script = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("the example prints what its README says", async () => {
	const port = await freePort();
	const environment = { QUEUE_PORT: String(port), APP_KEY: TEST_APP_KEY, APP_SECRET: TEST_SECRET };
	const child = spawn(process.execPath, [script], { env: { ...process.env, ...environment } });
	let output = "";
	child.stdout.on("data", (chunk) => {
		output += chunk;
	});
	child.stderr.on("data", (chunk) => transcribe("cli", String(chunk)));
	const ended = new Promise((resolve) => child.once("close", resolve));
	try {
		await vi.waitFor(() => expect(output).toContain("taking"), 10_000);
		const requestParam = JSON.stringify(sampleCallback({}));
		const outgoing = { appKey: TEST_APP_KEY, secret: TEST_SECRET, requestParam };
		expect(await send(port, outgoing, 5000)).toBe("ack");
		expect(await send(port, outgoing, 5000)).toBe("ack");
		await vi.waitFor(() => expect(output).toContain("reported"), 5000);
	} finally {
		child.kill("SIGTERM");
	}
	expect(await ended).toBe(0);
	transcribe("cli", output);
	const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
	expect(output.trim().replace(String(port), "7070")).toBe(readme.split("```").at(-2)?.trim());
});

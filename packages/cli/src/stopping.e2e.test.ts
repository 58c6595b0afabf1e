// Signals to a real process that holds on for longer than anybody waits.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const stopping = new URL("../dist/stopping.js", import.meta.url);
const HOLDING_ON = `
	const { abortOnSignal } = await import(${JSON.stringify(stopping.href)});
	abortOnSignal().addEventListener("abort", ({ target }) => console.log("stopping by", target.reason));
	setInterval(() => undefined, 1000);
	console.log("ready");
`;

test.each([
	["SIGTERM", "SIGTERM", 143],
	["SIGTERM", "SIGINT", 130],
	["SIGINT", "SIGINT", 130],
] as const)("%s is told, and %s after it ends the process at once", async (first, second, code) => {
	const child = spawn(process.execPath, ["--input-type=module", "-e", HOLDING_ON], {
		cwd: fileURLToPath(new URL(".", import.meta.url)),
		stdio: ["ignore", "pipe", "inherit"],
	});
	try {
		let said = "";
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			said += text;
		});
		await expect.poll(() => said, { timeout: 10_000 }).toBe("ready\n");
		child.kill(first);
		await expect.poll(() => said, { timeout: 10_000 }).toBe(`ready\nstopping by ${first}\n`);
		expect(child.exitCode).toBe(null);
		const ended = new Promise((resolve) => child.once("exit", resolve));
		child.kill(second);
		expect(await ended).toBe(code);
	} finally {
		child.kill("SIGKILL");
	}
});

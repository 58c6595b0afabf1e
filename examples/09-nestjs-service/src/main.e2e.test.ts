import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runExample } from "@reelkeep/harness/example-process";
import { freePort } from "@reelkeep/harness/free-port";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { expect, onTestFinished, test } from "vitest";

const script = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** A folder of its own for each test. */
function given() {
	const folder = mkdtempSync(join(tmpdir(), "reelkeep-nest-"));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	const environment = (port: number) => ({
		PORT: String(port),
		REELKEEP_DATA: join(folder, "data"),
		NO_COLOR: "1",
	});
	return { folder, environment };
}

/** White space and an escape that no serialiser would write again, and text beyond ASCII. */
function oddRequest(track: string): Buffer {
	const callback = sampleCallback({ track_info: track, account_id: "玩家-🎮" });
	const requestParam = JSON.stringify(callback, null, "\t ").replace("玩", "\\u73A9");
	return signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
}

function flipByte(request: Buffer): Buffer {
	const flipped = Buffer.from(request);
	flipped[flipped.lastIndexOf("game_id")] = 0x68;
	return flipped;
}

const recordings = async (address: string) => (await fetch(`${address}/recordings`)).json();

/** Without Nest's process id and time, and what differs in each run. */
function readable(output: string): string {
	const ofNest = /\[(?:NestFactory|InstanceLoader|RoutesResolver|RouterExplorer|NestApplication)\]/;
	// Billing is told while the sender still waits, so this line has no place of its own.
	const ofAnswer = "[Reelkeep] callback answered";
	return output
		.split("\n")
		.filter((line) => line !== "" && !ofNest.test(line) && !line.includes(ofAnswer))
		.map((line) => line.replace(/^\[Nest\] .*? (?=(?:LOG|WARN|DEBUG) )/, "").trim())
		.join("\n")
		.replace(/requestId: '[-0-9a-f]{36}'/g, "requestId: 'ID'")
		.replace(/durationMs: \d+/g, "durationMs: 1");
}

/** An instance that ends by itself. */
function run(folder: string, environment: Readonly<Record<string, string>>) {
	const env = { ...process.env, APP_KEY: TEST_APP_KEY, APP_SECRET: TEST_SECRET, ...environment };
	return new Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }>(
		(resolve) => {
			execFile(process.execPath, [script], { cwd: folder, env, timeout: 20_000 }, (error, stdout, stderr) => {
				transcribe("cli", stdout + stderr);
				resolve({ code: error === null ? 0 : error.code, stdout, stderr });
			});
		},
	);
}

test("the example prints what its README says, beside the service's own JSON, and nothing of a forgery is stored", async () => {
	const { folder, environment } = given();
	const port = await freePort();
	const { code, output } = await runExample({
		script,
		folder,
		port,
		environment: environment(port),
		says: "billed",
		async meanwhile(address, said) {
			const headers = { "content-type": "application/json" };
			const order = { method: "POST", headers, body: '{"item":"茶"}' };
			expect(await (await fetch(`${address}/orders`, order)).json()).toEqual({ ordered: "茶" });
			const forged = await sendRaw(address, flipByte(oddRequest("forged")));
			expect(forged.body).toMatch(/"code":25,"msg":"Invalid signature"/);
			expect((await sendRaw(address, oddRequest("录屏-1"))).body).toContain('"consume_state":1');
			await said("billed 录屏-1");
			expect(await recordings(address)).toEqual(["9dacb134-1735-4e3b-bb33-3bea06ae54ad", "录屏-1"]);
		},
	});
	expect(code).toBe(0);
	const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
	expect(readable(output)).toBe(readme.split("```").at(-2)?.trim());
});

test("a SIGTERM loses nothing: after a restart the log is there, and billing goes on behind what it has done", async () => {
	const { folder, environment } = given();
	const port = await freePort();
	const once = { script, folder, port, environment: environment(port) };
	expect((await runExample({ ...once, says: "billed" })).code).toBe(0);
	const { code, output } = await runExample({
		...once,
		says: "plugin started",
		async meanwhile(address, said) {
			await sendRaw(address, oddRequest("second"));
			await said("billed second");
			expect(await recordings(address)).toEqual(["9dacb134-1735-4e3b-bb33-3bea06ae54ad", "second"]);
		},
	});
	expect(code).toBe(0);
	expect(output.match(/billed .*/g)).toEqual(["billed second"]);
});

test("a start that fails behind Reelkeep's stops it again, and the process ends with an error", async () => {
	const { folder, environment } = given();
	const taken = createServer();
	onTestFinished(() => void taken.close());
	const port = await freePort();
	await new Promise<void>((resolve) => taken.listen(port, "127.0.0.1", resolve));
	const { code, stdout, stderr } = await run(folder, environment(port));
	expect(code).toBe(1);
	expect(stderr).toContain("EADDRINUSE");
	const plugins = (what: string, names: string[]) =>
		names.map((name) => `DEBUG [Reelkeep] plugin ${what} { plugin: '${name}' }`);
	expect(readable(stdout).split("\n")).toEqual([
		...plugins("started", ["storage-fs", "reelkeep"]),
		...plugins("stopped", ["reelkeep", "storage-fs"]),
	]);
});

test("a Reelkeep that cannot start keeps Nest from opening the port, and the one that owns the data goes on", async () => {
	const { folder, environment } = given();
	const port = await freePort();
	const { code } = await runExample({
		script,
		folder,
		port,
		environment: environment(port),
		says: "billed",
		async meanwhile(address) {
			const second = await run(folder, environment(await freePort()));
			expect([second.code, second.stdout.includes("plugin started")]).toEqual([1, false]);
			expect(second.stderr).toMatch(/StoreFault/);
			expect(second.stderr).toContain("plugin did not start { plugin: 'storage-fs' }");
			expect((await sendRaw(address, oddRequest("second"))).body).toContain('"consume_state":1');
		},
	});
	expect(code).toBe(0);
});

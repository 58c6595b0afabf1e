import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CommandResult, runCommand } from "@reelkeep/harness/reelkeep-process";
import {
	CAPTURE_APP_KEY,
	CAPTURE_SECRET,
	TEST_APP_KEY,
	TEST_SECRET,
	transcribe,
} from "@reelkeep/harness/transcript";
import { CAPTURE_NAMES, loadCapture, resign, signedRequest } from "@reelkeep/testing";
import { afterAll, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const captures = fileURLToPath(new URL("../../testing/fixtures/captures/", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "reelkeep-explain-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const apps = join(root, "apps");
writeFileSync(apps, `${CAPTURE_APP_KEY}=${CAPTURE_SECRET}\n${TEST_APP_KEY}:new=${TEST_SECRET}\n`);
chmodSync(apps, 0o600);

const NOW_MS = Date.UTC(2026, 10, 23, 4, 0, 0);
const AT = ["--at", "2026-11-23T12:00:00+08:00"];
const signed = (more: Partial<Parameters<typeof signedRequest>[0]> = {}): Buffer =>
	signedRequest({
		appKey: TEST_APP_KEY,
		secret: TEST_SECRET,
		now: NOW_MS,
		requestParam: '{"download_url":"http://h/v.mp4?Signature=abc"}',
		...more,
	});

/** What `reelkeep explain-signature` does with these bytes on standard input. */
async function explain(bytes: Uint8Array | string, ...flags: string[]): Promise<CommandResult> {
	const command = [entry, "explain-signature", "--apps-file", apps, ...flags];
	const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "pipe"] });
	const said = { stdout: "", stderr: "" };
	child.stdout.on("data", (chunk) => (said.stdout += chunk));
	child.stderr.on("data", (chunk) => (said.stderr += chunk));
	child.stdin.on("error", () => {}); // it may have seen enough
	child.stdin.end(bytes);
	const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
	transcribe("cli", said.stdout + said.stderr);
	return { code, ...said };
}

/** The raw bytes with another head. */
const withHead = (bytes: Buffer, edit: (head: string) => string): Buffer => {
	const end = bytes.indexOf("\r\n\r\n");
	return Buffer.concat([Buffer.from(edit(bytes.toString("latin1", 0, end))), bytes.subarray(end)]);
};

describe("reelkeep explain-signature FILE", () => {
	const run = (name: string, ...flags: string[]): Promise<CommandResult> =>
		runCommand(entry, ["explain-signature", join(captures, `${name}.http`), "--apps-file", apps, ...flags]);

	test("exits 0 for a capture that was received in time", async () => {
		const { code, stdout, stderr } = await run("python3-2020", "--at", "1795363491128");
		expect(stdout).toBe('ok: sign matches: md5, secret "default"\nok: timestamp is in time: 0 s behind\n');
		expect([code, stderr]).toEqual([0, ""]);
	});

	test("says of an old one that its time is wrong, and how to say when it came", async () => {
		const { code, stdout } = await run("node-topclient-post");
		expect(stdout.split("\n")).toEqual([
			'ok: sign matches: md5, secret "default"',
			expect.stringMatching(/^problem: timestamp is .* the receiver's clock/),
			expect.stringMatching(/^note: .*--at TIME/),
			"",
		]);
		expect(code).toBe(1);
	});

	test("prints one JSON object for each finding", async () => {
		const { code, stdout } = await run("java2021-md5-xml", "--at", "2026-11-23T00:04:44Z", "--json");
		expect(
			stdout
				.trimEnd()
				.split("\n")
				.map((line) => JSON.parse(line)),
		).toEqual([
			{ _tag: "signature-matches", severity: "ok", message: 'sign matches: md5, secret "default"' },
			{
				_tag: "timestamp-off",
				severity: "problem",
				message: expect.stringContaining("set TZ=Asia/Shanghai"),
			},
		]);
		expect(code).toBe(1);
	});
});

describe("reelkeep explain-signature reads from standard input", () => {
	test.each(CAPTURE_NAMES)("the capture %s, signed for now", async (name) => {
		const bytes = resign(loadCapture(name), { secret: CAPTURE_SECRET, now: Date.now() });
		const { code, stdout } = await explain(bytes);
		expect(stdout).toMatch(/^ok: sign matches: /);
		expect(code).toBe(0);
	});

	const readable: Readonly<Record<string, Buffer>> = {
		"a file with bare line feeds in its head": withHead(signed(), (head) => head.replaceAll("\r\n", "\n")),
		"a file with a line end behind its body": Buffer.concat([signed(), Buffer.from("\n")]),
		"empty lines before it": Buffer.concat([Buffer.from("\r\n\n"), signed()]),
		"a GET without its last empty line": signed({ place: "query" }).subarray(0, -4),
		"a request without a Host": withHead(signed(), (head) => head.replace(/\r\nHost: [^\r]*/, "")),
		"a request that expects 100-continue": withHead(signed(), (head) => `${head}\r\nExpect: 100-continue`),
		"a chunked body": chunked(signed()),
		"the target as a proxy sees it": withHead(signed(), (head) => head.replace(" /", " http://h/")),
	};
	test.each(Object.entries(readable))("%s", async (_what, bytes) => {
		const { code, stdout, stderr } = await explain(bytes, "-", ...AT);
		expect(stderr).toBe("");
		expect(stdout).toMatch(/^ok: sign matches: md5, secret "new"\n/);
		expect(code).toBe(0);
	});

	test("a forged request, and gives nothing of it away", async () => {
		const { code, stdout } = await explain(signed({ secret: "forged" }), ...AT);
		expect(stdout).toMatch(/^problem: sign matches nothing of what was tried/);
		expect(stdout).not.toMatch(/Signature=|v\.mp4|[0-9A-F]{32}|23456789/);
		expect(code).toBe(1);
	});

	test("the SPI direction, with headers of its own", async () => {
		const body = '{"request_param":{"game_id":"cgdctwrqs"}}';
		const target =
			"/spi?app_key=12345678&method=alibaba.cgame.avatar.video.record.report&timestamp=2021-12-01+12%3A00%3A00";
		const request = (sign: string, ...headers: string[]): string =>
			[
				`POST ${target}&sign=${sign} HTTP/1.1`,
				"Content-Type: application/json",
				`Content-Length: ${body.length}`,
				...headers,
				"",
				body,
			].join("\r\n");
		const flags = ["--verify", "spi", "--at", "2021-12-01T12:00:00+08:00"];
		const plain = await explain(request("85810074DA5A00D0AE9C0674343A9167"), ...flags);
		expect([plain.code, plain.stdout]).toEqual([0, expect.stringMatching(/^ok: sign matches: md5/)]);
		const headers = ["top-sign-list: x-top-trace", "x-top-trace: t1"];
		const bytes = request("BDB0A8B344FC1622E0254F607DABD4A0", ...headers);
		expect((await explain(bytes, ...flags)).code).toBe(0);
		const other = await explain(bytes, ...flags, "--signed-header", "x-another");
		expect([other.code, other.stdout]).toEqual([
			1,
			expect.stringMatching(/^problem: header x-top-trace .*--signed-header/),
		]);
	});
});

describe("reelkeep explain-signature is called in a wrong way", () => {
	const input: Readonly<Record<string, readonly [bytes: Buffer | string, says: RegExp]>> = {
		"with nothing": ["", /expected one HTTP request.*for example/],
		"with garbage": ["garbage\n\nmore garbage", /expected one HTTP request/],
		"with JSON": ['{"request_param":{"a":1}}', /expected one HTTP request/],
		"with an answer": ["HTTP/1.1 200 OK\r\n\r\n", /expected one HTTP request/],
		"with bytes that are no text": [Buffer.alloc(4096, 0xff), /expected one HTTP request/],
		"with CONNECT": ["CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", /expected one HTTP request/],
		"with a body that was cut": [signed().subarray(0, -1), /shorter than Content-Length says/],
		"with a body that is longer": [`${signed()}more\n`, /longer than Content-Length says/],
		"with two requests": [Buffer.concat([signed(), signed()]), /longer than Content-Length says/],
		"with a body but no Content-Length": [
			withHead(signed(), (head) => head.replace(/\r\nContent-Length: [^\r]*/, "")),
			/has no Content-Length/,
		],
		"with a body that is chunked no more": [
			withHead(signed(), (head) => head.replace(/Content-Length: [^\r]*/, "Transfer-Encoding: chunked")),
			/says that the body is chunked, but it is not/,
		],
		"with chunks that do not end": [chunked(signed()).subarray(0, -5), /or its end is missing/],
		"with more than it reads": [Buffer.alloc(1024 * 1024 + 1, 0x20), /longer than 1024 KiB/],
	};
	test.each(Object.entries(input))("%s", async (_what, [bytes, says]) => {
		const { code, stdout, stderr } = await explain(bytes);
		expect(stderr).toMatch(/^reelkeep: /);
		expect(stderr).toMatch(says);
		expect(stderr).not.toMatch(/Signature=|at file:/);
		expect([code, stdout]).toEqual([2, ""]);
	});

	test("with a secret that has white space behind it", async () => {
		const { code, stderr } = await explain(signed(), "--app", "1=secret-of-app ");
		expect(stderr).toMatch(/secret of app 1 begins or ends with white space/);
		expect(stderr).not.toContain("secret-of-app");
		expect(code).toBe(2);
	});

	const flags: Readonly<Record<string, readonly [flags: readonly string[], says: RegExp]>> = {
		"without an app": [["-"], /no app is known: give --apps-file/],
		"with a file that is not there": [["/nowhere", "--apps-file", apps], /cannot read \/nowhere: ENOENT/],
		"with a folder": [[root, "--apps-file", apps], /cannot read .*: EISDIR/],
		"with a time that has no zone": [
			["-", "--apps-file", apps, "--at", "2026-11-23T12:00:00"],
			/--at takes a time with its zone/,
		],
		"with a time that is none": [["-", "--apps-file", apps, "--at", "2026-13-01T12:00:00Z"], /--at takes/],
		"with a header that the gateway's senders do not sign": [
			["-", "--apps-file", apps, "--signed-header", "x-top-trace"],
			/--signed-header goes with --verify spi/,
		],
		"with an unknown direction": [
			["-", "--apps-file", apps, "--verify", "both"],
			/Allowed choices are top, spi/,
		],
		"with two files": [["-", "-", "--apps-file", apps], /too many arguments/],
	};
	test.each(Object.entries(flags))("%s", async (_what, [command, says]) => {
		const { code, stderr } = await runCommand(entry, ["explain-signature", ...command]);
		expect(stderr).toMatch(says);
		expect(stderr).not.toContain("secret-of-app");
		expect(code).toBe(2);
	});
});

function chunked(bytes: Buffer): Buffer {
	const end = bytes.indexOf("\r\n\r\n") + 4;
	const [first, second] = [bytes.subarray(end, end + 7), bytes.subarray(end + 7)];
	const chunks = [first, second].map(
		(chunk) => `${chunk.length.toString(16)}\r\n${chunk.toString("latin1")}\r\n`,
	);
	const head = bytes
		.toString("latin1", 0, end)
		.replace(/Content-Length: [^\r]*/, "Transfer-Encoding: chunked");
	return Buffer.from(`${head}${chunks.join("")}0\r\n\r\n`, "latin1");
}

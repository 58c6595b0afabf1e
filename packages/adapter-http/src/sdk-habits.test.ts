// Two client languages of the API page have no capture: .NET and C/C++. Their requests are built here from what their
// SDKs' sources say (docs/top-protocol.md §1), byte by byte, and sent to a real server.

import { createHash, createHmac } from "node:crypto";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { chinaTime } from "@reelkeep/testing";
import { afterEach, describe, expect, it } from "vitest";
import { handlerOptions, NOW_MS, recordingReceive, startServer, type TestServer } from "../test/harness.js";

const METHOD = "alibaba.cgame.avatar.video.record.report";
const REQUEST_PARAM =
	'{"account_domain":0,"account_id":"云游戏 é","action":"SCREEN_RECORDING_CALL_BACK",' +
	'"download_url":"http:\\/\\/b.example.com\\/v.mp4?a=1&b=%2B%3D","expire_time":1639238400000,"game_id":"g",' +
	'"project_id":"p","track_info":"t","version":1}';

type Pair = readonly [name: string, value: string];

let server: TestServer | undefined;
afterEach(() => server?.close());

async function post(contentType: string, body: Buffer) {
	const recorded = recordingReceive();
	server = await startServer(handlerOptions(recorded.receive));
	const head = [
		"POST /router/rest HTTP/1.1",
		"Host: gateway.example.com:80",
		`Content-Type: ${contentType}`,
		`Content-Length: ${body.length}`,
	];
	const bytes = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
	const reply = await sendRaw(server.address, bytes);
	return { reply, texts: recorded.reports.map(({ requestParam }) => requestParam) };
}

const textOf = (pairs: readonly Pair[]): string =>
	[...pairs]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.flat()
		.join("");

describe(".NET: a form with everything in it, hmac, XML, blank values neither sent nor signed", () => {
	/** `dd` hexadecimal in lower case, a plus for a space: `HttpUtility.UrlEncode`. */
	const encode = (text: string): string =>
		encodeURIComponent(text)
			.replace(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase())
			.replaceAll("%20", "+");

	const request = (timestamp: string, more: readonly Pair[] = []) => {
		const pairs: readonly Pair[] = [
			["request_param", REQUEST_PARAM],
			["method", METHOD],
			["v", "2.0"],
			["sign_method", "hmac"],
			["app_key", TEST_APP_KEY],
			["format", "xml"],
			["partner_id", "top-sdk-net-20211201"],
			["timestamp", timestamp],
			...more,
		];
		const sign = createHmac("md5", TEST_SECRET).update(textOf(pairs)).digest("hex").toUpperCase();
		const body = [...pairs, ["sign", sign] as const]
			.map(([name, value]) => `${name}=${encode(value)}`)
			.join("&");
		return post("application/x-www-form-urlencoded;charset=utf-8", Buffer.from(body, "latin1"));
	};

	it("is understood, and answered in XML without a DOCTYPE", async () => {
		const { reply, texts } = await request(chinaTime(NOW_MS));
		expect(reply.headers.get("content-type")).toBe("text/xml;charset=UTF-8");
		expect(reply.body).toMatch(/^<alibaba_cgame_avatar_video_record_report_response><result><code>0<\/code>/);
		expect(texts).toEqual([REQUEST_PARAM]);
	});

	it("with a session and another app's key is understood too", async () => {
		const more: readonly Pair[] = [
			["session", "6100e12b"],
			["target_app_key", "87654321"],
		];
		expect((await request(chinaTime(NOW_MS), more)).texts).toEqual([REQUEST_PARAM]);
	});

	it("on a host that keeps UTC is 8 hours off, and is told so", async () => {
		const { reply, texts } = await request(new Date(NOW_MS).toISOString().slice(0, 19).replace("T", " "));
		expect(reply.body).toMatch(/<code>31<\/code>.*8 hours/);
		expect(texts).toEqual([]);
	});
});

describe("C/C++: multipart always, everything in it, md5, JSON", () => {
	const BOUNDARY = "----------------------------5c8f6a1b7d2e";

	const request = (timestamp: string, more: readonly Pair[] = []) => {
		const pairs: readonly Pair[] = [
			["app_key", TEST_APP_KEY],
			["format", "json"],
			["method", METHOD],
			["partner_id", "top-sdk-c-20211201"],
			["request_param", REQUEST_PARAM],
			["sign_method", "md5"],
			["timestamp", timestamp],
			["v", "2.0"],
			...more,
		];
		const sign = createHash("md5")
			.update(TEST_SECRET + textOf(pairs) + TEST_SECRET)
			.digest("hex")
			.toUpperCase();
		// As libcurl writes a form.
		const parts = [...pairs, ["sign", sign] as const].map(
			([name, value]) =>
				`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
		);
		return post(
			`multipart/form-data; boundary=${BOUNDARY}`,
			Buffer.from(`${parts.join("")}--${BOUNDARY}--\r\n`),
		);
	};

	it.each([
		["text in GMT+8", chinaTime(NOW_MS)],
		["10 digits of seconds, as a fork sends", String(NOW_MS / 1000)],
		["13 digits of milliseconds", String(NOW_MS)],
	])("with a timestamp of %s is understood", async (_what, timestamp) => {
		const { reply, texts } = await request(timestamp);
		expect(JSON.parse(reply.body)).toHaveProperty("alibaba_cgame_avatar_video_record_report_response");
		expect(texts).toEqual([REQUEST_PARAM]);
	});

	it("with an empty session that is signed is understood", async () => {
		expect((await request(chinaTime(NOW_MS), [["session", ""]])).texts).toEqual([REQUEST_PARAM]);
	});

	it("with a parameter that the method does not have is understood", async () => {
		expect((await request(chinaTime(NOW_MS), [["ext_trace", "0a1b"]])).texts).toEqual([REQUEST_PARAM]);
	});
});

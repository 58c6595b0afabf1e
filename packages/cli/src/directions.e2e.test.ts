// Batches, and the platform's own calls, through `reelkeep serve`.

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { chinaTime, sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const METHOD = "alibaba.cgame.avatar.video.record.report";
const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
let receiver: ReturnType<typeof temporaryReceiver>;
beforeEach(() => {
	receiver = temporaryReceiver(entry);
});
afterEach(() => receiver.dispose());

const callback = (track: string): string =>
	JSON.stringify(
		sampleCallback({ track_info: track, download_url: `http://127.0.0.1:9/${track}.mp4?Signature=x` }),
	);

/** `body` is signed behind the parameters with MD5, as batches and the SPI direction do. */
function signedPost(
	target: string,
	parameters: Readonly<Record<string, string>>,
	contentType: string,
	body: string,
): Buffer {
	const pairs = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
	const text = pairs.flat().join("");
	const sign = createHash("md5")
		.update(TEST_SECRET + text + body + TEST_SECRET)
		.digest("hex")
		.toUpperCase();
	const query = new URLSearchParams([...pairs, ["sign", sign]]);
	const head = [
		`POST ${target}?${query} HTTP/1.1`,
		"Host: 127.0.0.1",
		`Content-Type: ${contentType}`,
		`Content-Length: ${Buffer.byteLength(body)}`,
	];
	return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

async function reportedTracks(): Promise<readonly unknown[]> {
	return (await receiver.events())
		.filter(({ type }) => type === "RecordingReported")
		.map(({ data }) => data.trackInfo);
}

describe("a batch", () => {
	test("is stored call by call, beside calls that fail, and once when it is sent again", async () => {
		const { address } = await receiver.serve();
		const calls = [callback("a"), "not json", callback("b"), callback("a")];
		const body = [
			`#PUBLIC#method=${METHOD}`,
			...calls.map((text) => `request_param=${encodeURIComponent(text)}`),
		];
		const common = { app_key: TEST_APP_KEY, v: "2.0", format: "json", sign_method: "md5" };
		const parameters = { ...common, timestamp: chinaTime(Date.now()) };
		const batch = signedPost(
			"/router/batch",
			parameters,
			"text/plain;charset=UTF-8",
			body.join("\r\n-S-\r\n"),
		);
		for (let times = 0; times < 2; times++) {
			const answers = (await sendRaw(address, batch)).body.split("\r\n-S-\r\n").map((one) => JSON.parse(one));
			expect(answers.map(({ error_response: error }) => error?.code ?? "ok")).toEqual(["ok", 50, "ok", "ok"]);
		}
		expect([...(await reportedTracks())].sort()).toEqual(["a", "b"]);
	});
});

describe("the platform's own call", () => {
	const spi = (target: string, body: string): Buffer =>
		signedPost(
			target,
			{ app_key: TEST_APP_KEY, method: METHOD, timestamp: chinaTime(Date.now()) },
			"application/json",
			body,
		);

	test("comes to the path that was registered, and is the same recording as through the gateway", async () => {
		const first = await receiver.serve("--verify", "spi", "--path", "/callbacks/recording");
		const { body } = await sendRaw(
			first.address,
			spi("/callbacks/recording", `{"request_param":${callback("a")}}`),
		);
		expect(JSON.parse(body)).toEqual({
			result: { code: "0", data: { message: "Consumer Success", consume_state: 1 }, message: "SUCCESS" },
		});
		const signed = spi("/callbacks/recording", '{"request_param":{}}').toString();
		const forged = await sendRaw(first.address, Buffer.from(signed.replace("{}", "[]")));
		expect(forged.body).toContain("failure");
		expect((await sendRaw(first.address, spi("/spi", "{}"))).status).toBe(404);
		await first.stop();
		const second = await receiver.serve();
		const options = {
			secret: TEST_SECRET,
			appKey: TEST_APP_KEY,
			now: Date.now(),
			requestParam: callback("a"),
		};
		expect((await sendRaw(second.address, signedRequest(options))).body).toContain('"consume_state":1');
		expect(await reportedTracks()).toEqual(["a"]);
	});

	test("is not believed by a receiver of the gateway's direction, nor the other way round", async () => {
		const serve = await receiver.serve("--verify", "spi");
		const options = {
			secret: TEST_SECRET,
			appKey: TEST_APP_KEY,
			now: Date.now(),
			requestParam: callback("b"),
		};
		expect((await sendRaw(serve.address, signedRequest(options))).status).toBe(404);
		expect(await reportedTracks()).toEqual([]);
	});
});

test("a sender that only reads consume_state is told 0 when a callback is to be sent again", async () => {
	const { address } = await receiver.serve(
		"--failure-answer",
		"consume-state-0",
		"--quarantine-callbacks",
		"1",
	);
	const send = (requestParam: string) =>
		sendRaw(
			address,
			signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam }),
		);
	expect((await send("rubbish 1")).body).toContain('"code":50');
	expect((await send("rubbish 2")).body).toContain('"consume_state":0');
	expect((await send(callback("c"))).body).toContain('"consume_state":1');
});

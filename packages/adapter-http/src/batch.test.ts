import { gunzipSync } from "node:zlib";
import type { ReceiveOutcome } from "@reelkeep/core/ports";
import { takeApart } from "@reelkeep/harness/signed-body";
import { transcribe } from "@reelkeep/harness/transcript";
import { describe, expect, it } from "vitest";
import { textOf } from "../test/binding.js";
import { handlerOptions, readFixture, recordingReceive, standingClock } from "../test/harness.js";
import { rawBatch, SEPARATOR, signedBatch } from "../test/signed-bodies.js";
import { createBatchHandler } from "./batch.js";
import type { TopHandlerOptions, TopReply } from "./exchange.js";
import { parseTimestamp } from "./timestamp.js";
import { createTopVerifier } from "./verifier.js";

const METHOD = "alibaba.cgame.avatar.video.record.report";

async function send(
	bytes: Buffer,
	options: Partial<TopHandlerOptions> = {},
	recorded = recordingReceive(),
): Promise<{ readonly reply: TopReply; readonly text: string; readonly sent: readonly unknown[] }> {
	const handle = createBatchHandler({ ...handlerOptions(recorded.receive), ...options });
	const reply = await handle(takeApart(bytes));
	const isZipped = reply.headers["Content-Encoding"] === "gzip";
	const text = isZipped ? gunzipSync(reply.body as Uint8Array).toString() : textOf(reply);
	transcribe("http", text);
	return { reply, text, sent: recorded.reports.map(({ requestParam }) => requestParam) };
}

const codesOf = (text: string, separator = SEPARATOR): readonly (number | "ok")[] =>
	text.split(separator).map((one) => JSON.parse(one).error_response?.code ?? "ok");

describe("a batch", () => {
	it("is answered call by call, in their order, whatever became of each", async () => {
		const outcomes: ReceiveOutcome[] = [
			{ _tag: "Reported", stream: "s" },
			{ _tag: "Quarantined", stream: "s", issues: [] },
			{ _tag: "Unavailable", reason: "fault", message: "disk" },
			{ _tag: "AlreadyReported", stream: "s" },
		];
		const recorded = recordingReceive(async () => outcomes.shift() ?? { _tag: "Refused", message: "" });
		const { text, sent } = await send(signedBatch(['{"a":1}', "not json", "{}", "{ }"]), {}, recorded);
		expect(codesOf(text)).toEqual(["ok", 50, 15, "ok"]);
		expect(sent).toEqual(['{"a":1}', "not json", "{}", "{ }"]);
		expect(text).not.toContain("disk");
	});

	it("answers in the order of the calls, though later ones are done first", async () => {
		let serial = 0;
		const recorded = recordingReceive(async () => {
			const number = ++serial;
			await new Promise((resolve) => setTimeout(resolve, 30 - 10 * number));
			return number === 2 ? { _tag: "Refused", message: "no" } : { _tag: "Reported", stream: "s" };
		});
		expect(codesOf((await send(signedBatch(["{}", "{}", "{}"]), {}, recorded)).text)).toEqual([
			"ok",
			11,
			"ok",
		]);
	});

	it("takes the method from the query, from the public line or from each call", async () => {
		const call = "request_param=%7B%7D";
		const own = `method=${METHOD}&${call}`;
		for (const body of [
			`#PUBLIC#method=${METHOD}${SEPARATOR}${call}`,
			own,
			`#PUBLIC#a=1${SEPARATOR}${own}`,
		]) {
			expect(codesOf((await send(rawBatch(body))).text)).toEqual(["ok"]);
		}
		expect(codesOf((await send(rawBatch(call, { parameters: { method: METHOD } }))).text)).toEqual(["ok"]);
	});

	it("has calls that fail alone: no method, another one, no parameters, no request_param, twice, malformed", async () => {
		const good = `method=${METHOD}&request_param=%7B%7D`;
		const calls = [good, "request_param=%7B%7D", "method=taobao.time.get", "N", `method=${METHOD}`];
		const odd = [`${good}&request_param=%7B%7D`, `method=${METHOD}&request_param=%ff`, "", good];
		const { text, sent } = await send(rawBatch([...calls, ...odd].join(SEPARATOR)));
		expect(codesOf(text)).toEqual(["ok", 21, 22, 21, 40, 41, 41, 41, "ok"]);
		expect(sent).toEqual(["{}", "{}"]);
	});

	it("may have other parameters in its calls, and of its own", async () => {
		const body = `#PUBLIC#method=${METHOD}&session=s&a=${SEPARATOR}request_param=%7B%7D&customerId=%E6%B8%B8`;
		expect(codesOf((await send(rawBatch(body, { parameters: { customerId: "stub" } }))).text)).toEqual([
			"ok",
		]);
	});

	it("is answered in XML or simplified when it asks so", async () => {
		const simplified = await send(signedBatch(["{}", "{}"], { parameters: { simplify: "true" } }));
		for (const one of simplified.text.split(SEPARATOR)) expect(JSON.parse(one)).toHaveProperty("result");
		const xml = await send(signedBatch(["{}", "{}"], { parameters: { format: undefined } }));
		expect(xml.text.split(SEPARATOR)).toHaveLength(2);
		expect(xml.text).toMatch(/^<alibaba_cgame/);
	});

	it("is answered with gzip when it asks so", async () => {
		const { reply, text } = await send(
			signedBatch(["{}", "{}"], { headers: { "Accept-Encoding": "deflate, gzip" } }),
		);
		expect(reply.headers).toMatchObject({ "Content-Encoding": "gzip", Vary: "Accept-Encoding" });
		expect(codesOf(text)).toEqual(["ok", "ok"]);
	});

	it("is answered once when all of it is refused, and nothing is handed over", async () => {
		const rows: readonly (readonly [number, Buffer, Partial<TopHandlerOptions>?])[] = [
			[25, signedBatch(["{}"], { secret: "another" })],
			[24, Buffer.from(signedBatch(["{}"]).toString().replace(/sign=/, "sigh="))],
			[28, signedBatch(["{}"], { parameters: { app_key: undefined } })],
			[31, signedBatch(["{}"], { parameters: { timestamp: "2026-11-23 11:49:00" } })],
			[32, signedBatch(["{}"], { parameters: { v: undefined } })],
			[40, rawBatch("")],
			[41, rawBatch(`#PUBLIC#method=${METHOD}`)],
			[41, rawBatch(`#PUBLIC#method${SEPARATOR}N`)],
			[41, signedBatch(["{}"], { parameters: { request_param: "{}" } })],
			[41, signedBatch(["{}"], { parameters: { zz: "behind the time" } })],
			[41, signedBatch(new Array(65).fill("{}"))],
			[41, signedBatch(["{}", "{}", "{}"]), { limits: { maxBatchCalls: 2 } }],
			[41, signedBatch([`{"a":"${"x".repeat(1000)}"}`]), { limits: { maxBodyBytes: 1000 } }],
		];
		for (const [code, bytes, options] of rows) {
			const { text, sent } = await send(bytes, options);
			expect(JSON.parse(text).error_response.code).toBe(code);
			expect(sent).toEqual([]);
		}
	});

	it("is asked for again when its bytes are gone, or receive throws", async () => {
		const recorded = recordingReceive(() => Promise.reject(new Error("boom")));
		expect(codesOf((await send(signedBatch(["{}", "{}"]), {}, recorded)).text)).toEqual([15, 15]);
		const handle = createBatchHandler(handlerOptions(recorded.receive));
		const request = takeApart(signedBatch(["{}"]));
		for (const body of ["already-read", "too-slow", { fields: { a: "b" } }] as const) {
			expect(textOf(await handle({ ...request, body }))).toContain("isp.remote-service");
		}
	});

	it("names one request and its raw bytes in the receipt of every callback in it", async () => {
		const recorded = recordingReceive();
		await send(signedBatch(["{}", "{ }"]), {}, recorded);
		const [first, second] = recorded.reports.map(({ metadata }) => metadata);
		expect(first?.verification?.requestSha256).toMatch(/^[0-9a-f]{64}$/);
		expect(second).toEqual(first);
	});
});

describe("the separator of a batch", () => {
	it.each(["@@", "|", ";;", "<[,]>"])("may be %s, named by a header", async (separator) => {
		const batch = signedBatch(['{"a":1}', "{}"], { separator, headers: { "top-api-separator": separator } });
		const { text, sent } = await send(batch);
		expect(codesOf(text, separator)).toEqual(["ok", "ok"]);
		expect(sent).toEqual(['{"a":1}', "{}"]);
	});

	const TEXT = '{"game_id":"N","track_info":"a-b","s":"request_param"}';
	/** Every text that could be cut out between calls, and some more. */
	const separators = (body: string): readonly string[] =>
		[...body].flatMap((_, at) => [1, 2, 3, 6, 9, 14].map((length) => body.slice(at, at + length)));

	it("cuts no other calls out of a signed body, whatever it is changed to", async () => {
		const calls = [TEXT, "{}"];
		const signed = signedBatch(calls);
		const body = signed.toString().split("\r\n\r\n").slice(1).join("\r\n\r\n");
		let refused = 0;
		for (const separator of separators(body)) {
			if (/[\r\n]/.test(separator)) continue; // stands in no header
			const changed = takeApart(signed);
			const recorded = recordingReceive();
			const handle = createBatchHandler(handlerOptions(recorded.receive));
			await handle({ ...changed, headers: new Map([...changed.headers, ["top-api-separator", separator]]) });
			const texts = recorded.reports.map(({ requestParam }) => requestParam);
			for (const text of texts) expect(calls).toContain(text);
			if (texts.length === 0) refused += 1;
		}
		expect(refused).toBeGreaterThan(500);
	});

	it.each(["", "|".repeat(65), "%7Bvilla%7D", "-S-", "a|b", "&", "#", "游戏", "{"])(
		"may not be %j",
		async (separator) => {
			const batch = signedBatch(["{}"], { headers: { "top-api-separator": separator } });
			expect(JSON.parse((await send(batch)).text).error_response.code).toBe(41);
		},
	);

	it("cannot make a call of ours out of another API's", async () => {
		const parameters = { method: METHOD };
		const headers = { "top-api-separator": "&" };
		const body = "method=alibaba.cgame.liteplay.x&request_param=%7B%7D";
		expect(codesOf((await send(rawBatch(body, { parameters }))).text)).toEqual([22]);
		expect((await send(rawBatch(body, { parameters, headers }))).sent).toEqual([]);
	});

	it("taken out of the header leaves nothing that is taken", async () => {
		for (const calls of [["{}", "{}"], ["{}"]]) {
			const batch = rawBatch([`method=${METHOD}&request_param=%7B%7D`, ...calls.map(() => "N")].join("||"));
			const { text, sent } = await send(batch);
			expect(codesOf(text)).toEqual([41]);
			expect(sent).toEqual([]);
		}
	});
});

describe("the batch vectors", () => {
	interface Vector {
		readonly secret: string;
		readonly sign_method: string;
		readonly params: Readonly<Record<string, string>>;
		readonly body: string;
		readonly sign: string;
	}
	const vectors = (readFixture("vectors.json") as readonly Vector[]).filter(({ body }) => body !== "");

	it.each(vectors)("with $sign_method is two calls", async ({ secret, params, body, sign }) => {
		const now = parseTimestamp(params.timestamp ?? "") ?? 0;
		const clock = standingClock(now);
		const recorded = recordingReceive();
		const apps = { [params.app_key ?? ""]: secret };
		const query = new URLSearchParams({ ...params, sign });
		const handle = createBatchHandler({
			...handlerOptions(recorded.receive, clock),
			verifier: createTopVerifier({ apps, clock }),
		});
		const request = { method: "POST", headers: new Map<string, string>(), body: Buffer.from(body) };
		const reply = await handle({ ...request, target: `/router/batch?${query}` });
		expect(textOf(reply).split(SEPARATOR)).toHaveLength(2);
		expect(recorded.reports.map(({ requestParam }) => requestParam)).toEqual(["{}", "{}"]);
		const flipped = await handle({
			...request,
			target: `/router/batch?${query}`,
			body: Buffer.from(`${body}&`),
		});
		expect(textOf(flipped)).toMatch(/"code":25|<code>25/);
	});

	it("are three", () => expect(vectors).toHaveLength(3));
});

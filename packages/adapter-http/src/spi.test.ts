import type { ReceiveOutcome } from "@reelkeep/core/ports";
import { takeApart } from "@reelkeep/harness/signed-body";
import { CAPTURE_APP_KEY, CAPTURE_SECRET, transcribe } from "@reelkeep/harness/transcript";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ODD_TEXT, textOf } from "../test/binding.js";
import { APPS, handlerOptions, NOW_MS, recordingReceive, standingClock } from "../test/harness.js";
import { signedSpi, signedSpiForm } from "../test/signed-bodies.js";
import type { TopHandlerOptions, TopRequest } from "./exchange.js";
import { createSpiHandler } from "./spi.js";
import { createSpiVerifier, type SpiVerifierOptions } from "./spi-verifier.js";
import { parseTimestamp } from "./timestamp.js";

const ILLEGAL = { flag: "failure", sub_code: "sign-check-failure", sub_message: "Illegal request" };
const SUCCESS = {
	result: { code: "0", data: { message: "Consumer Success", consume_state: 1 }, message: "SUCCESS" },
};

async function send(
	request: TopRequest,
	options: Partial<TopHandlerOptions> = {},
	recorded = recordingReceive(),
	verifier: Partial<SpiVerifierOptions> = {},
) {
	const clock = standingClock();
	const handle = createSpiHandler({
		...handlerOptions(recorded.receive),
		verifier: createSpiVerifier({ apps: APPS, clock, ...verifier }),
		...options,
	});
	const reply = await handle(request);
	transcribe("http", textOf(reply));
	return {
		answer: JSON.parse(textOf(reply)),
		reply,
		sent: recorded.reports.map((report) => report.requestParam),
	};
}

const json = (body: string, options: Parameters<typeof signedSpi>[1] = {}): TopRequest =>
	takeApart(signedSpi(body, options));

describe("the platform's own call", () => {
	it("is taken with its callback as an object, as text, or as the document itself", async () => {
		const text = '{"game_id":"云游戏🎮","expire_time":1639238400000}';
		for (const body of [`{"request_param":${text}}`, JSON.stringify({ request_param: text }), text]) {
			const { answer, sent } = await send(json(body));
			expect(answer).toEqual(SUCCESS);
			expect(sent).toEqual([text]);
		}
	});

	it("is taken as a form, whose fields are signed", async () => {
		const { answer, sent } = await send(takeApart(signedSpiForm(ODD_TEXT)));
		expect(answer).toEqual(SUCCESS);
		expect(sent).toEqual([ODD_TEXT]);
	});

	it("may have other parameters, a version, a sign method and empty values", async () => {
		const parameters = { customerId: "stub", v: "2.0", session: "", sign_method: "hmac-sha256", zz: "" };
		expect((await send(json("{}", { parameters }))).answer).toEqual(SUCCESS);
	});

	it("is kept as it was written, digits, doubles and white space included", async () => {
		const member = '{ "account_id":12345678901234567890,"a":1.0,"a":{"request_param":{}} }';
		for (const body of [`{"request_param" : ${member}}`, `{"request_param":1,"request_param":${member}}`]) {
			expect((await send(json(body))).sent).toEqual([member]);
		}
	});

	it("may be as deep as it likes, in time", async () => {
		const lists = `${"[".repeat(60_000)}${"]".repeat(60_000)}`;
		expect((await send(json(`{"request_param":${lists}}`))).sent).toEqual([lists]);
		const nested = `${'{"request_param":'.repeat(9_000)}1${"}".repeat(9_000)}`;
		const startedAt = performance.now();
		expect((await send(json(`{"request_param":{"k":1.0},"z":${nested}}`))).sent).toEqual(['{"k":1.0}']);
		expect(performance.now() - startedAt).toBeLessThan(2_000);
	});

	it("hands a document over whole that cannot be parsed, for the quarantine", async () => {
		const issues = [{ field: "", problem: "is not JSON" }];
		const recorded = recordingReceive({ _tag: "Quarantined", stream: "s", issues });
		const { answer, sent } = await send(json("{'python': 'dict'}"), {}, recorded);
		expect(sent).toEqual(["{'python': 'dict'}"]);
		expect(answer).toEqual({
			flag: "failure",
			sub_code: "isv.invalid-parameter",
			sub_message: "request_param is not JSON",
		});
	});

	it("says in its receipt how it was proved", async () => {
		const recorded = recordingReceive();
		await send(json("{}"), {}, recorded);
		expect(recorded.reports[0]).toMatchObject({
			metadata: { ingress: "http", verification: { scheme: "md5", secretId: "default", clockSkewMs: 0 } },
		});
	});

	it.each<readonly [ReceiveOutcome, object]>([
		[
			{ _tag: "Unavailable", reason: "fault", message: "disk" },
			{ flag: "failure", sub_code: "isp.remote-service-error" },
		],
		[{ _tag: "Refused", message: "no" }, { sub_code: "isv.permission-api-package-not-allowed" }],
		[
			{ _tag: "RateLimited", retryAfterMs: 1, message: "" },
			{ sub_code: "accesscontrol.limited-by-api-access-count" },
		],
	])("is told of %o", async (outcome, answer) => {
		expect((await send(json("{}"), {}, recordingReceive(outcome))).answer).toMatchObject(answer);
	});

	it("is told consume_state 0 instead, when only that is read", async () => {
		const recorded = recordingReceive({ _tag: "Unavailable", reason: "fault", message: "disk" });
		const { answer } = await send(json("{}"), { failureAnswer: "consume-state-0" }, recorded);
		expect(answer).toMatchObject({ result: { code: "15", data: { consume_state: 0 } } });
	});
});

describe("what is not the platform's call", () => {
	const text = '{"request_param":{}}';
	it.each<readonly [string, TopRequest, object]>([
		["another secret", json(text, { secret: "another" }), ILLEGAL],
		["an unknown app", json(text, { parameters: { app_key: "99999999" } }), ILLEGAL],
		["no app", json(text, { parameters: { app_key: undefined } }), ILLEGAL],
		["no time", json(text, { parameters: { timestamp: undefined } }), ILLEGAL],
		["a time 11 minutes ago", json(text, { parameters: { timestamp: "2026-11-23 11:49:00" } }), ILLEGAL],
		["a time 11 minutes ahead", json(text, { parameters: { timestamp: "2026-11-23 12:11:00" } }), ILLEGAL],
		["a changed body", { ...json(text), body: Buffer.from('{"request_param":{} }') }, ILLEGAL],
		["no query", { ...json(text), target: "/spi" }, { flag: "failure" }],
		["no method", json(text, { parameters: { method: undefined } }), { flag: "failure" }],
		["another method", json(text, { parameters: { method: "taobao.time.get" } }), { flag: "failure" }],
		["a body that is no object", json("[1]"), { sub_code: "isv.invalid-parameter" }],
		["a body with text behind the object", json("{}x"), { sub_code: "isv.invalid-parameter" }],
		["a body that never ends", json('{"a":'), { sub_code: "isv.invalid-parameter" }],
		["a parameter with a brace", json(text, { parameters: { a: "{" } }), { flag: "failure" }],
		["no body", json("", {}), { sub_code: "isv.missing-parameter:request_param" }],
		["another verb", { ...json(text), method: "PUT" }, { flag: "failure" }],
		["a body that is too large", { ...json(text), body: "too-large" }, { flag: "failure" }],
		[
			"a body whose bytes are gone",
			{ ...json(text), body: "already-read" },
			{ sub_code: "isp.remote-service-error" },
		],
		[
			"a parsed body",
			{ ...json(text), body: { fields: { request_param: "{}" } } },
			{ sub_code: "isp.remote-service-error" },
		],
	])("is refused with %s", async (_what, request, expected) => {
		const { answer, sent, reply } = await send(request);
		expect(answer).toMatchObject(expected);
		expect(reply.status).toBe(200);
		expect(sent).toEqual([]);
	});

	it("cannot be made by moving text between query and body under the same sign", async () => {
		const { target, headers, body } = json('{"request_param":{"game_id":"a"}}');
		const all = Buffer.from(body as Uint8Array).toString();
		const sign = /sign=([0-9A-F]+)/.exec(target)?.[1] ?? "";
		const time = "2026-11-23 12:00:00";
		for (let cut = 0; cut <= all.length; cut++) {
			// The end of the query's text is the timestamp; what is moved goes behind it, or into a name behind it.
			for (const [name, value] of [
				["timestamp", `${time}${all.slice(0, cut)}`],
				[`z${all.slice(0, cut)}`, ""],
			]) {
				const query = new URLSearchParams({ app_key: "23456789", method: REPORT, timestamp: time, sign });
				query.set(name ?? "", value ?? "");
				const moved = { method: "POST", target: `/spi?${query}`, headers, body: Buffer.from(all.slice(cut)) };
				const { sent } = await send(moved);
				if (cut > 0) expect(sent).toEqual([]);
			}
		}
	});
});

const REPORT = "alibaba.cgame.avatar.video.record.report";

describe("headers in the signature", () => {
	const signedHeaders = { "x-top-trace": "t1" };

	it("are signed when the list names them and we know them", async () => {
		expect((await send(json("{}", { signedHeaders }))).answer).toEqual(SUCCESS);
		expect((await send(json("{}", { signedHeaders: { "x-top-trace": "" } }))).answer).toEqual(SUCCESS);
	});

	it("do not count without the list, changed, or when we do not know them", async () => {
		const signed = json("{}", { signedHeaders });
		const without = new Map([...signed.headers].filter(([name]) => name !== "top-sign-list"));
		expect((await send({ ...signed, headers: without })).answer).toEqual(ILLEGAL);
		const changed = new Map([...signed.headers, ["x-top-trace", "t2"]]);
		expect((await send({ ...signed, headers: changed })).answer).toEqual(ILLEGAL);
		const other = json("{}", { signedHeaders: { "x-other": "1" } });
		expect((await send(other)).answer).toEqual(ILLEGAL);
		const allowed = { signedHeaders: ["X-Other"] };
		expect((await send(other, {}, recordingReceive(), allowed)).answer).toEqual(SUCCESS);
	});

	it("never stand for a parameter, whatever the list says", async () => {
		await fc.assert(
			fc.asyncProperty(fc.string(), fc.string(), async (list, value) => {
				const request = json("{}");
				const shaped = new Map([...request.headers, ["top-sign-list", list], ["x-top-trace", value]]);
				const names = list.split(",").map((name) => name.trim().toLowerCase());
				const { sent } = await send({ ...request, headers: shaped });
				expect(sent).toHaveLength(names.includes("x-top-trace") ? 0 : 1);
			}),
		);
		expect(() =>
			createSpiVerifier({ apps: APPS, clock: standingClock(), signedHeaders: ["app_key"] }),
		).toThrow(TypeError);
	});
});

describe("the SPI vectors", () => {
	const target = `/spi?app_key=${CAPTURE_APP_KEY}&method=${REPORT}&timestamp=2021-12-01+12%3A00%3A00`;
	const body = Buffer.from('{"request_param":{"game_id":"cgdctwrqs"}}');
	const clock = standingClock(parseTimestamp("2021-12-01 12:00:00"));
	const verifier = createSpiVerifier({ apps: { [CAPTURE_APP_KEY]: CAPTURE_SECRET }, clock });

	it.each<readonly [string, string, Readonly<Record<string, string>>]>([
		["without a list", "85810074DA5A00D0AE9C0674343A9167", {}],
		[
			"with a list",
			"BDB0A8B344FC1622E0254F607DABD4A0",
			{ "top-sign-list": "x-top-trace", "x-top-trace": "t1" },
		],
	])("are accepted %s", async (_what, sign, more) => {
		const headers = new Map(Object.entries({ "content-type": "application/json", ...more }));
		const request = { method: "POST", target: `${target}&sign=${sign}`, headers, body };
		const { answer, sent } = await send(request, { verifier, clock });
		expect(answer).toEqual(SUCCESS);
		expect(sent).toEqual(['{"game_id":"cgdctwrqs"}']);
		const flipped = `${sign.slice(1)}${sign[0]}`;
		const forged = await send({ ...request, target: `${target}&sign=${flipped}` }, { verifier, clock });
		expect(forged.answer).toEqual(ILLEGAL);
	});

	it("are from a time that is over now", async () => {
		const headers = new Map([["content-type", "application/json"]]);
		const sign = "85810074DA5A00D0AE9C0674343A9167";
		const request = { method: "POST", target: `${target}&sign=${sign}`, headers, body };
		expect(NOW_MS).toBeGreaterThan(clock.now());
		expect((await send(request)).answer).toEqual(ILLEGAL);
	});
});

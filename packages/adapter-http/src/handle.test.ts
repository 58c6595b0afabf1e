import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { ReceiveOutcome } from "@reelkeep/core/ports";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { chinaTime, type SignedRequestOptions, signTop } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { handlerOptions, NOW_MS, type RecordingReceive, recordingReceive } from "../test/harness.js";
import type { TopHandlerOptions, TopReply, TopRequest } from "./exchange.js";
import { createTopHandler } from "./handle.js";

const FORM = "application/x-www-form-urlencoded";
const LINK = "http://b.oss-cn-x.aliyuncs.com/v.mp4?Expires=1&OSSAccessKeyId=LTAI&Signature=sEcReT%3D";
const REQUEST_PARAM = JSON.stringify({ game_id: "游戏", download_url: LINK });
const MINUTE_MS = 60_000;

type Changes = Readonly<Record<string, string | undefined>>;

/** A signed request as the pure function gets it; `changes` before signing, `afterSigning` after. */
function request(
	changes: Changes = {},
	afterSigning: NonNullable<SignedRequestOptions["afterSigning"]> = {},
): TopRequest {
	const signed = Object.entries({
		method: "alibaba.cgame.avatar.video.record.report",
		app_key: TEST_APP_KEY,
		timestamp: chinaTime(NOW_MS),
		v: "2.0",
		format: "json",
		sign_method: "md5",
		request_param: REQUEST_PARAM,
		...changes,
	}).filter((entry): entry is [string, string] => entry[1] !== undefined);
	const sign = signTop(signed, TEST_SECRET, "md5");
	const sent = Object.entries({ ...Object.fromEntries(signed), sign, ...afterSigning });
	return withBody(
		sent.flatMap(([n, v]) => (v === undefined ? [] : [`${n}=${encodeURIComponent(v)}`])).join("&"),
	);
}

function withBody(text: string, query = ""): TopRequest {
	const headers = new Map([["content-type", FORM]]);
	return { method: "POST", target: `/router/rest${query}`, headers, body: Buffer.from(text) };
}

async function send(
	message: TopRequest,
	changes: Partial<TopHandlerOptions> = {},
	recorded = recordingReceive(),
) {
	const handle = createTopHandler({ ...handlerOptions(recorded.receive), ...changes });
	const reply = await handle(message);
	transcribe("http", JSON.stringify(reply));
	return { reply, reports: recorded.reports, error: errorOf(reply) };
}

function errorOf(reply: TopReply): { code: number; sub_code?: string; sub_msg?: string } | undefined {
	const text = String(reply.body);
	return text.startsWith("{") ? JSON.parse(text).error_response : undefined;
}

describe("a request that is refused", () => {
	it.each<[string, TopRequest, number, string?]>([
		["no method", request({ method: undefined }), 21],
		["an empty method", request({ method: "" }), 21],
		["another method", request({ method: "taobao.time.get" }), 22],
		["another format", request({ format: "yaml" }), 23],
		["no sign", request({}, { sign: undefined }), 24],
		["a forged sign", request({}, { sign: "0".repeat(32) }), 25],
		["a sign in lower case", request({}, { sign: "a".repeat(32) }), 25],
		["a sign that is not ASCII", request({}, { sign: "签".repeat(32) }), 25],
		["no sign method", request({ sign_method: undefined }), 25],
		["an unknown sign method", request({ sign_method: "sha1" }), 25],
		["a value that was changed after signing", request({}, { request_param: "{}" }), 25],
		["no app key", request({ app_key: undefined }), 28],
		["an unknown app key", request({ app_key: "99999999" }), 29],
		["an impossible app key", request({ app_key: "é" }), 29],
		["no timestamp", request({ timestamp: undefined }), 30],
		["a timestamp that is none", request({ timestamp: "yesterday" }), 31],
		["February 30th", request({ timestamp: "2026-02-30 12:00:00" }), 31],
		["a timestamp 11 minutes ago", request({ timestamp: chinaTime(NOW_MS - 11 * MINUTE_MS) }), 31],
		["a timestamp 11 minutes ahead", request({ timestamp: String(NOW_MS + 11 * MINUTE_MS) }), 31],
		["no version", request({ v: undefined }), 32],
		["another version", request({ v: "1.0" }), 33],
		["no request_param", request({ request_param: undefined }), 40, "isv.missing-parameter:request_param"],
		["an empty request_param", request({ request_param: "" }), 40, "isv.missing-parameter:request_param"],
		["a blank request_param", request({ request_param: " \n" }), 40, "isv.missing-parameter:request_param"],
		["an unsigned parameter that we do not know", request({}, { foo: "bar" }), 25],
		["a name that is none", request({ "a b": "" }), 41, "isv.invalid-parameter"],
		["a signed word that could be a boundary", request({ foo: "timestamp" }), 41, "isv.invalid-parameter"],
		["a request_param that ends like a session", request({ request_param: "{}session1" }), 41],
		["an impossible session", request({ session: "a b" }), 41],
		["an impossible simplify", request({ simplify: "yes" }), 41],
		["an impossible partner", request({ partner_id: "{" }), 41],
		["a target app key that is none", request({ target_app_key: "  " }), 41],
		["a parameter that stands twice", { ...request(), target: "/router/rest?format=json&v=2.0" }, 41],
		["a name without a value", withBody("a", "?format=json"), 41],
		["bytes that are not UTF-8", withBody("a=%ff", "?format=json"), 41],
		["a body of another kind", { ...withBody("{}", "?format=json"), headers: new Map() }, 41],
		["a body over the limit", { ...withBody("", "?format=json"), body: "too-large" }, 41],
		["more bytes than the limit", withBody(`request_param=${"x".repeat(256 * 1024)}`, "?format=json"), 41],
		["a body that came too slowly", { ...withBody("", "?format=json"), body: "too-slow" }, 15],
		["a receiver that is overloaded", { ...withBody("", "?format=json"), body: "overloaded" }, 15],
		["a body that a framework took", { ...withBody("", "?format=json"), body: "already-read" }, 15],
		[
			"another verb",
			{ ...request(), method: "PUT", target: "/router/rest?format=json", body: Buffer.alloc(0) },
			9,
		],
	])("for %s gets its code, and nothing is stored", async (_what, message, code, subCode) => {
		const { reply, error, reports } = await send(message);
		expect(reply.status).toBe(200);
		expect(reply.body).toMatch(
			new RegExp(`^\\{"error_response":\\{"code":${code},|^<error_response><code>${code}<`),
		);
		if (subCode !== undefined) expect(error?.sub_code).toBe(subCode);
		expect(reports).toEqual([]);
	});

	it("is told about the 8 hours when its clock text is UTC's", async () => {
		const timestamp = new Date(NOW_MS).toISOString().slice(0, 19).replace("T", " ");
		const { error } = await send(request({ timestamp }));
		expect(error).toMatchObject({ code: 31, sub_msg: expect.stringMatching(/8 hours.*TZ=Asia\/Shanghai/) });
	});

	it("is told what is wrong with a parameter's name, but not the name", async () => {
		const { error } = await send(request({ "Signature x": "" }));
		expect(error?.sub_msg).toMatch(/name must be/);
		expect(error?.sub_msg).not.toContain("Signature");
	});

	it("is answered in XML when no format is asked for, with the host headers", async () => {
		const { reply } = await send(request({ format: undefined, method: undefined }), { hostLabel: "here" });
		expect(reply.body).toMatch(/^<error_response><code>21<\/code>/);
		expect(reply.headers).toEqual({
			"Content-Type": "text/xml;charset=UTF-8",
			"Cache-Control": "no-store",
			"Application-Host": "here",
			"Location-Host": "here",
		});
	});

	it.each<[ReceiveOutcome, number, string]>([
		[
			{ _tag: "Quarantined", stream: "s", issues: [{ field: "project_id", problem: "is missing" }] },
			50,
			"isv.invalid-parameter",
		],
		[{ _tag: "Refused", message: "not this project" }, 11, "isv.permission-api-package-not-allowed"],
		[{ _tag: "RateLimited", retryAfterMs: 1, message: "" }, 7, "accesscontrol.limited-by-api-access-count"],
		[{ _tag: "Unavailable", reason: "fault", message: "disk" }, 15, "isp.remote-service-error"],
		[{ _tag: "Unavailable", reason: "timeout", message: "disk" }, 15, "isp.remote-service-timeout"],
	])("because receive said %o gets its code", async (outcome, code, subCode) => {
		const { error } = await send(request(), {}, recordingReceive(outcome));
		expect(error).toMatchObject({ code, sub_code: subCode });
		expect(error?.sub_msg).not.toContain("disk");
	});
});

describe("a sender that is asked to send again", () => {
	const unavailable = recordingReceive({ _tag: "Unavailable", reason: "timeout", message: "disk" });
	const asked = async (changes: Changes, failureAnswer?: "isp" | "consume-state-0") => {
		const options = failureAnswer === undefined ? {} : { failureAnswer };
		return String((await send(request(changes), options, unavailable)).reply.body);
	};

	it("reads an error with isp, unless it only reads consume_state", async () => {
		expect(await asked({})).toContain('"sub_code":"isp.remote-service-timeout"');
		const result = {
			code: "15",
			data: { message: "the callback was not stored in time; send it again", consume_state: 0 },
			message: "Remote service error",
		};
		const json = JSON.parse(await asked({}, "consume-state-0"));
		expect(json.alibaba_cgame_avatar_video_record_report_response).toEqual({
			result,
			request_id: "request-1",
		});
		expect(JSON.parse(await asked({ simplify: "true" }, "consume-state-0")).result).toEqual(result);
		expect(await asked({ format: "xml" }, "consume-state-0")).toMatch(/<consume_state>0<\/consume_state>/);
	});

	it("is told final errors as errors, whatever it reads", async () => {
		const options = { failureAnswer: "consume-state-0" } as const;
		expect((await send(request({ method: "" }), options)).error).toMatchObject({ code: 21 });
		const quarantined = recordingReceive({ _tag: "Quarantined", stream: "s", issues: [] });
		expect((await send(request(), options, quarantined)).error).toMatchObject({ code: 50 });
	});

	it("is told how many seconds a rate limit lasts, in the words that clients search", async () => {
		const limited = recordingReceive({ _tag: "RateLimited", retryAfterMs: 1500, message: "" });
		const { error } = await send(request(), {}, limited);
		expect(error).toMatchObject({ code: 7, sub_msg: "This ban will last for 2 more seconds" });
	});
});

describe("gzip", () => {
	const answered = async (acceptEncoding?: string) => {
		const message = request();
		const more: [string, string][] =
			acceptEncoding === undefined ? [] : [["accept-encoding", acceptEncoding]];
		return (await send({ ...message, headers: new Map([...message.headers, ...more]) })).reply;
	};

	it.each(["gzip", "deflate, gzip", "GZIP;q=0.5", "br;q=1, gzip;q=1.0"])("is used for %j", async (asked) => {
		const { headers, body } = await answered(asked);
		expect(headers).toMatchObject({ "Content-Encoding": "gzip", Vary: "Accept-Encoding" });
		expect(gunzipSync(body as Uint8Array).toString()).toContain('"consume_state":1');
	});

	it.each([undefined, "", "identity", "br", "gzip;q=0", "gzip; q=0.000", "xgzip", "*"])(
		"is not used for %j",
		async (asked) => {
			const { headers, body } = await answered(asked);
			expect(headers).not.toHaveProperty("Content-Encoding");
			expect(body).toContain('"consume_state":1');
		},
	);
});

describe("a part of the receiver that breaks its promise", () => {
	const boom = (): never => {
		throw new Error(`broken near ${LINK}`);
	};
	it.each<[string, Partial<TopHandlerOptions>]>([
		["receive rejects", { receive: async () => boom() }],
		["receive throws", { receive: boom }],
		["receive throws no error", { receive: () => Promise.reject(undefined) }],
		["receive says nothing", { receive: async () => undefined as unknown as ReceiveOutcome }],
		["receive says something new", { receive: async () => ({ _tag: "New" }) as unknown as ReceiveOutcome }],
		["the verifier throws", { verifier: { verify: boom } }],
		["ids throw", { ids: { next: boom } }],
		["everything throws", { ids: { next: boom }, clock: { now: boom, sleep: boom }, receive: boom }],
		[
			"the logger throws too",
			{ receive: boom, logger: { trace: boom, debug: boom, info: boom, warn: boom, error: boom } },
		],
	])("gives a retryable error when %s", async (_what, changes) => {
		const { reply } = await send(request(), changes);
		expect(reply.body).toContain("isp.remote-service-error");
		expect(reply.body).not.toContain("Signature");
	});

	it("does not take a stored callback's success when only logger and telemetry throw", async () => {
		const logger = { trace: boom, debug: boom, info: boom, warn: boom, error: boom };
		const { reply } = await send(request(), { logger, telemetry: { count: boom, record: boom } });
		expect(reply.body).toContain("consume_state");
	});
});

describe("a request that is accepted", () => {
	it("hands over its text as received, who sent it, and how that was found", async () => {
		const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
		const message = request({ timestamp: String(NOW_MS - 1000) });
		const { reply, reports } = await send({
			...message,
			headers: new Map([...message.headers, ["traceparent", traceparent]]),
		});
		expect(JSON.parse(String(reply.body))).toHaveProperty(
			"alibaba_cgame_avatar_video_record_report_response",
		);
		expect(reply.headers).not.toHaveProperty("Application-Host");
		expect(reports).toEqual([
			{
				requestParam: REQUEST_PARAM,
				appKey: TEST_APP_KEY,
				metadata: {
					ingress: "http",
					appKey: TEST_APP_KEY,
					requestId: "request-1",
					correlationId: "request-1",
					traceparent,
					verification: {
						scheme: "md5",
						secretId: "default",
						clockSkewMs: 1000,
						requestSha256: createHash("sha256")
							.update(`${message.target}\n`)
							.update(message.body as Uint8Array)
							.digest("hex"),
					},
				},
			},
		]);
	});

	it.each(["", "00-0-0-00", `00-${"0".repeat(32)}-b7ad6b7169203331-01`, "LINK"])(
		"leaves out the traceparent %j, which is none",
		async (traceparent) => {
			const message = request();
			const { reports } = await send({
				...message,
				headers: new Map([...message.headers, ["traceparent", traceparent]]),
			});
			expect(reports[0]?.metadata).not.toHaveProperty("traceparent");
		},
	);

	it.each(["Reported", "AlreadyReported", "LinkRenewed", "Contradicted"] as const)(
		"answers %s alike",
		async (_tag) => {
			const { reply } = await send(request(), {}, recordingReceive({ _tag, stream: "s" }));
			expect(reply.body).toContain('"consume_state":1');
		},
	);

	it("may be a GET, with everything in the query or in a body", async () => {
		const message = request();
		const query = Buffer.from(message.body as Uint8Array).toString();
		const inQuery = await send({
			...message,
			method: "GET",
			target: `/router/rest?${query}`,
			body: Buffer.alloc(0),
		});
		const inBody = await send({ ...message, method: "GET" });
		expect([inQuery.reports.length, inBody.reports.length]).toEqual([1, 1]);
	});

	it("may have parameters that this method does not have, signed, empty or not", async () => {
		for (const more of [{ customerId: "stub" }, { a: "", zz: "游戏 {}" }, { ["__proto__"]: "x" }]) {
			expect((await send(request(more))).reports).toHaveLength(1);
		}
		expect((await send(request({}, { unsigned: "" }))).reports, "left out of the sign").toHaveLength(1);
	});

	it("is answered the same when it is sent again, byte for byte", async () => {
		const recorded: RecordingReceive = recordingReceive();
		const handle = createTopHandler({ ...handlerOptions(recorded.receive), ids: { next: () => "same" } });
		const message = request();
		expect(await handle(message)).toEqual(await handle(message));
		expect(recorded.reports).toHaveLength(2);
	});
});

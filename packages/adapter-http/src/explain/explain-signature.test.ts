import { CAPTURE_SECRET, TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { CAPTURE_NAMES, chinaTime, loadCapture, resign, signTop, unsignedRequest } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { explain, problemsIn, withBody, withText } from "../../test/explained.js";
import { NOW_MS, signed } from "../../test/harness.js";
import { rawBatch, signedBatch, signedSpi, signedSpiForm } from "../../test/signed-bodies.js";
import type { ExplainSignatureOptions } from "./explain-signature.js";
import { MAX_TRIED_SIGNATURES } from "./signature-search.js";

const TIME = chinaTime(NOW_MS);
const METHOD = "alibaba.cgame.avatar.video.record.report";

describe("a signature that is right", () => {
	it.each<readonly [string, Buffer, Partial<ExplainSignatureOptions>, string]>([
		["md5", signed(), {}, 'md5, secret "default"'],
		["hmac", signed({ signMethod: "hmac" }), {}, 'hmac, secret "default"'],
		["hmac-sha256", signed({ signMethod: "hmac-sha256" }), {}, 'hmac-sha256, secret "default"'],
		["an empty value that is signed", signed({ parameters: { session: "" } }), {}, ", empty values signed"],
		["one that is not", signed({ afterSigning: { session: "" } }), {}, ", empty values left out"],
		["parameters of other methods", signed({ parameters: { customerId: "stub" } }), {}, "default"],
		["a batch", signedBatch(["{}", "{}"]), {}, 'hmac-sha256, secret "default"'],
		["the SPI direction", signedSpi("{}"), { direction: "spi" }, 'md5, secret "default"'],
		["its form", signedSpiForm("{}"), { direction: "spi" }, "default"],
		[
			"its headers",
			signedSpi("{}", { signedHeaders: { "x-top-trace": "t1" } }),
			{ direction: "spi" },
			"default",
		],
		[
			"one of several secrets",
			signed(),
			{
				apps: {
					[TEST_APP_KEY]: [
						{ id: "old", secret: "another" },
						{ id: "new", secret: TEST_SECRET },
					],
				},
			},
			'secret "new"',
		],
	])("is told, with scheme and secret: %s", async (_what, bytes, options, says) => {
		const [sign, time, ...rest] = await explain(bytes, options);
		expect(sign).toMatch(/^ok signature-matches: /);
		expect(sign).toMatch(says);
		expect(time).toBe("ok timestamp-in-time: timestamp is in time: 0 s behind");
		expect(rest).toEqual([]);
	});

	it.each(CAPTURE_NAMES)("is told of the capture %s, and that it is late", async (name) => {
		const bytes = resign(loadCapture(name), { secret: CAPTURE_SECRET, now: NOW_MS - 11 * 60_000 });
		const lines = await explain(bytes);
		expect(lines[0]).toMatch(/^ok signature-matches/);
		expect(problemsIn(lines)).toEqual([
			"problem timestamp-off: timestamp is 11 min behind the receiver's clock; at most 10 min are allowed",
		]);
	});
});

describe("the sign itself", () => {
	const call: readonly (readonly [string, string])[] = [
		["app_key", TEST_APP_KEY],
		["method", METHOD],
		["request_param", "{}"],
		["sign_method", "md5"],
		["timestamp", TIME],
		["v", "2.0"],
	];
	const right = signTop(call, TEST_SECRET, "md5");

	it.each<readonly [string, Buffer, readonly string[]]>([
		["missing", signed({ afterSigning: { sign: undefined } }), ["missing-sign"]],
		["no hexadecimal number", signed({ afterSigning: { sign: "G".repeat(32) } }), ["sign-not-hexadecimal"]],
		["too short", signed({ afterSigning: { sign: right.slice(1) } }), ["sign-not-hexadecimal"]],
		["wrong", signed({ afterSigning: { sign: "0".repeat(32) } }), ["unexplained"]],
		[
			"in lower case and wrong",
			signed({ afterSigning: { sign: "a".repeat(32) } }),
			["sign-not-upper-case", "unexplained"],
		],
		["missing its method", signed({ parameters: { sign_method: undefined } }), ["missing-sign-method"]],
		["of an unknown method", signed({ parameters: { sign_method: "crc" } }), ["unknown-sign-method"]],
		[
			"of another method than sign_method says",
			signed({ parameters: { sign_method: "hmac" }, afterSigning: { sign_method: "md5" } }),
			["unexplained"],
		],
		["of no app", signed({ parameters: { app_key: undefined } }), ["missing-app-key", "other-secret"]],
		["of an unknown app", signed({ appKey: "99999999" }), ["unknown-app-key", "other-secret"]],
		[
			"of an unknown app with an unknown secret",
			signed({ appKey: "99999999", secret: "unknown" }),
			["unknown-app-key", "unexplained"],
		],
	])("is told when it is %s", async (_what, bytes, tags) => {
		expect(problemsIn(await explain(bytes)).map((line) => /^problem ([^:]+)/.exec(line)?.[1])).toEqual(tags);
	});

	it("matches once it is in upper case", async () => {
		expect(await explain(unsignedRequest([...call, ["sign", right.toLowerCase()]]))).toEqual([
			"problem sign-not-upper-case: sign must be in upper case, without white space around it",
			'note signature-matches-once-mended: but for that, sign matches: md5, secret "default"',
			"ok timestamp-in-time: timestamp is in time: 0 s behind",
		]);
	});

	it("matches another scheme than sign_method says, or than an unknown one", async () => {
		const sign = signTop(call, TEST_SECRET, "hmac");
		expect((await explain(unsignedRequest([...call, ["sign", sign]])))[0]).toBe(
			"problem other-sign-method: sign was made with hmac, but sign_method says md5",
		);
		const missing = await explain(signed({ parameters: { sign_method: undefined } }));
		expect(missing[1]).toMatch(/^note signature-matches-once-mended: but for that, sign matches: md5/);
	});
});

describe("the time", () => {
	const HOUR = 3_600_000;
	it.each<readonly [number, readonly RegExp[]]>([
		[8 * HOUR, [/^problem timestamp-off: .*8 hours behind: it was sent as local time.*TZ=Asia\/Shanghai/]],
		[7 * HOUR, [/^problem timestamp-off: .*7 h behind/, /^note sender-zone: .*TZ=Asia\/Shanghai/]],
		[-HOUR, [/^problem timestamp-off: .*60 min ahead/, /^note sender-zone/]],
		[-8 * HOUR, [/^problem timestamp-off: .*8 h ahead/]],
		[25 * 60_000, [/^problem timestamp-off: .*25 min behind/]],
	])("is told although the signature is right, %d ms off", async (offMs, expected) => {
		const [sign, ...rest] = await explain(signed({ now: NOW_MS - offMs }));
		expect(sign).toMatch(/^ok signature-matches/);
		expect(rest).toEqual(expected.map((says) => expect.stringMatching(says)));
	});

	it("is measured with the tolerance that is given, and from either side", async () => {
		const bytes = signed({ now: NOW_MS + 5_000 });
		expect(await explain(bytes)).toContain("ok timestamp-in-time: timestamp is in time: 5 s ahead");
		expect(problemsIn(await explain(bytes, { clockToleranceMs: 1_000 }))).toHaveLength(1);
	});

	it.each([
		[undefined, "missing-timestamp"],
		["2026-02-30 12:00:00", "malformed-timestamp"],
		["2026-11-23T12:00:00", "malformed-timestamp"],
		["23.11.2026", "malformed-timestamp"],
	])("%s is told beside a signature that is right", async (timestamp, tag) => {
		const lines = await explain(signed({ parameters: { timestamp } }));
		expect(lines[0]).toMatch(/^ok signature-matches/);
		expect(problemsIn(lines)).toEqual([expect.stringContaining(`problem ${tag}: timestamp `)]);
	});

	it("with a + that was encoded is malformed, and the sign says why", async () => {
		const lines = await explain(signed({ afterSigning: { timestamp: TIME.replace(" ", "+") } }));
		expect(problemsIn(lines)).toEqual([
			expect.stringMatching(/^problem value-changed: timestamp: signed with a space where \+ was received/),
			expect.stringMatching(/^problem malformed-timestamp/),
		]);
	});
});

describe("what the product refuses before the signature is told in its words:", () => {
	it.each<readonly [string, Buffer, string, RegExp]>([
		["a verb", withText(signed(), "POST", "PUT"), "unreadable-request", /only POST and GET/],
		["a long body", withBody(signed(), () => "x".repeat(300_000)), "unreadable-request", /longer than/],
		["a name twice", withText(signed(), "v=2.0", "v=2.0&v=2.0"), "malformed-request", /stands twice/],
		["an odd body", withText(signed(), "x-www-form-urlencoded", "json"), "malformed-request", /a body must/],
		["no version", signed({ parameters: { v: undefined } }), "invalid-parameter", /^v is missing/],
		["another method", signed({ parameters: { method: "a.b" } }), "invalid-parameter", /^method must be/],
		["no request_param", signed({ requestParam: undefined }), "missing-request-param", /is missing/],
		["an empty batch", rawBatch(""), "missing-request-param", /has no calls/],
		[
			"a name that makes another reading",
			signed({ parameters: { zz: "timestamp1" } }),
			"other-reading",
			/must not hold the word "timestamp"/,
		],
		[
			"request_param that is no object beside other names",
			signed({ requestParam: "not json", parameters: { customerId: "stub" } }),
			"other-reading",
			/must be one JSON object/,
		],
	])("%s", async (_what, bytes, tag, says) => {
		const told = problemsIn(await explain(bytes));
		expect(told).toHaveLength(1);
		expect(told[0]).toMatch(new RegExp(`^problem ${tag}: `));
		expect(told[0]?.slice(`problem ${tag}: `.length)).toMatch(says);
	});

	it("a body of the SPI direction that is no object", async () => {
		const array = await explain(signedSpi("[]"), { direction: "spi" });
		expect(problemsIn(array)).toEqual([expect.stringMatching(/^problem other-reading: .*one JSON object/)]);
	});

	it("apps that no verifier takes reject", async () => {
		await expect(explain(signed(), { apps: {} })).rejects.toThrow(/no app is configured/);
		await expect(explain(signed(), { apps: { "1": " x" } })).rejects.toThrow(/white space/);
	});
});

it("does not tell a name that gives a secret or a value away", async () => {
	const names = { [TEST_SECRET]: "1", "http-h-v.mp4": "http-h-v.mp4" };
	for (const [name, value] of Object.entries(names)) {
		const lines = await explain(signed({ afterSigning: { [name]: value } }));
		expect(problemsIn(lines)[0]).toMatch(
			/parameter-not-signed: a parameter whose name is not told not signed/,
		);
	}
});

it("stops at its bound, and says so", async () => {
	const many = Object.fromEntries(Array.from({ length: 56 }, (_, at) => [`name_${at}`, "x".repeat(4000)]));
	const secrets = ["a", "b", "c"].map((id) => ({ id, secret: `another-${id}` }));
	const bytes = signed({ place: "body", parameters: many, secret: "unknown" });
	const startedAt = performance.now();
	const [told] = problemsIn(await explain(bytes, { apps: { [TEST_APP_KEY]: secrets } }));
	expect(told).toContain(`${MAX_TRIED_SIGNATURES} signatures, which is the bound`);
	expect(performance.now() - startedAt).toBeLessThan(20_000);
});

import fc from "fast-check";
import { isLeft, isRight } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { decodeError, describeIssues } from "./decode-error.js";
import type { DecodeIssue } from "./ports/ingress.js";
import {
	decodeCallback,
	SCREEN_RECORDING_CALL_BACK,
	ScreenRecordCallback,
} from "./screen-record-callback.js";

const wire = {
	game_id: "cgdctwrqs",
	track_info: "9dacb134-1735-4e3b-bb33-3bea06ae54ad",
	account_domain: 0,
	download_url: "http://bucket.example.com/720p.mp4?Expires=361605860928&Name=a%3D",
	version: 1,
	account_id: "NUAzXzcyMTA5OTE4MTgzViRg",
	expire_time: 1639238400000,
	action: "SCREEN_RECORDING_CALL_BACK",
	project_id: "cg-avatar",
};
const callback: ScreenRecordCallback = {
	gameId: wire.game_id,
	trackInfo: wire.track_info,
	accountDomain: 0,
	downloadUrl: wire.download_url,
	version: 1,
	accountId: wire.account_id,
	expireTime: 1639238400000,
	action: SCREEN_RECORDING_CALL_BACK,
	projectId: wire.project_id,
};
const fields = Object.keys(wire);
const numeric = ["account_domain", "version", "expire_time"];

function decode(text: string): ScreenRecordCallback {
	const decoded = decodeCallback(text);
	if (isLeft(decoded)) throw new Error(describeIssues(decoded.left.issues));
	return decoded.right;
}

function issuesOf(value: unknown): readonly DecodeIssue[] {
	const decoded = decodeCallback(typeof value === "string" ? value : JSON.stringify(value));
	return isRight(decoded) ? [] : decoded.left.issues;
}

describe("what cannot be decoded", () => {
	test("is named as not being JSON", () => {
		for (const text of ["", "{", "game_id=x", '{"a":1}x', "\ufeff{}", "undefined", "NaN", '{"a":\t"\n"}']) {
			expect(issuesOf(text)).toEqual([{ field: "", problem: "is not JSON" }]);
		}
	});

	test("is told apart when it is a Python dict, with what to do", () => {
		for (const text of ["{'game_id': 'x'}", " {\n 'game_id': None}", "{u'game_id': u'x'}"]) {
			expect(issuesOf(text)).toEqual([{ field: "", problem: expect.stringContaining("json.dumps") }]);
		}
	});

	test("is not an object", () => {
		for (const text of ["[]", "null", "1", '"text"', "true", JSON.stringify([wire])]) {
			expect(issuesOf(text)).toEqual([{ field: "", problem: "must be a JSON object" }]);
		}
	});

	test("names each field that is missing, absent or null", () => {
		for (const field of fields) {
			const { [field]: _, ...rest } = wire as Record<string, unknown>;
			expect(issuesOf(rest)).toEqual([{ field, problem: "is missing" }]);
			expect(issuesOf({ ...wire, [field]: null })).toEqual([{ field, problem: "is missing" }]);
		}
		expect(issuesOf({}).map(({ field }) => field)).toEqual(fields);
	});

	test("is not fed from the prototype", () => {
		expect(issuesOf(`{"__proto__": ${JSON.stringify(wire)}}`).map(({ field }) => field)).toEqual(fields);
		expect(issuesOf({ ...wire, game_id: undefined, constructor: { game_id: "x" } })).toHaveLength(1);
	});

	test("names each field of the wrong type", () => {
		for (const field of fields) {
			for (const value of [{}, [], true, [wire[field as keyof typeof wire]], { valueOf: 1, toString: 1 }]) {
				expect(issuesOf({ ...wire, [field]: value })).toEqual([
					{ field, problem: expect.stringMatching(/^must be /) },
				]);
			}
		}
	});

	test("is a text field that holds a number, or a number field that holds no whole number", () => {
		for (const field of fields.filter((it) => !numeric.includes(it))) {
			expect(issuesOf({ ...wire, [field]: 1 })).toHaveLength(1);
		}
		const wrong = [
			0.5,
			2 ** 53,
			1e300,
			"",
			" 1",
			"1 ",
			"1.0",
			"0x10",
			"1e3",
			"+1",
			"--1",
			"١",
			"9007199254740993",
			"12345678901234567",
			"Infinity",
		];
		for (const field of numeric) {
			for (const value of wrong) {
				expect(issuesOf({ ...wire, [field]: value })).toEqual([
					{ field, problem: "must be a whole number or a numeric string" },
				]);
			}
		}
	});

	test("has an action that we do not know", () => {
		for (const action of ["", "screen_recording_call_back", "SCREEN_RECORDING_CALL_BACK ", "OTHER"]) {
			expect(issuesOf({ ...wire, action })).toEqual([
				{ field: "action", problem: "must be SCREEN_RECORDING_CALL_BACK" },
			]);
		}
	});

	test("has a link that is not one, or of another scheme", () => {
		for (const download_url of [
			"",
			"720p.mp4",
			"//bucket.example.com/720p.mp4",
			"http://",
			"http://[::1",
			"ftp://bucket.example.com/720p.mp4",
			"file:///etc/passwd",
			"javascript:alert(1)",
			"data:video/mp4;base64,AA==",
			"oss://bucket/720p.mp4",
			`http://bucket.example.com/${"a".repeat(8192)}`,
		]) {
			expect(issuesOf({ ...wire, download_url })).toEqual([
				{ field: "download_url", problem: "must be an http or https link" },
			]);
		}
	});

	test("says everything that is wrong at once, in one line", () => {
		const issues = issuesOf({ ...wire, game_id: 7, action: "OTHER", project_id: null });
		expect(describeIssues(issues)).toBe(
			"game_id must be a string; action must be SCREEN_RECORDING_CALL_BACK; project_id is missing",
		);
		expect(describeIssues(issuesOf("x"))).toBe("request_param is not JSON");
	});

	test("is described by 16 issues at most", () => {
		const issues = Array.from({ length: 40 }, (_, index) => ({ field: `f${index}`, problem: "is missing" }));
		expect(decodeError(issues).issues).toEqual(issues.slice(0, 16));
	});

	test("never has a value echoed, wherever it stands", () => {
		const marker = fc.uuid().map((id) => `marker-${id}`);
		const shaped = (text: string): fc.Arbitrary<unknown> =>
			fc.constantFrom<unknown>(
				text,
				[text],
				{ [text]: text },
				{ toString: text },
				`ftp://${text}/x?Signature=${text}`,
				`javascript:${text}`,
			);
		fc.assert(
			fc.property(
				marker.chain((text) =>
					fc.tuple(fc.constant(text), fc.record(Object.fromEntries(fields.map((it) => [it, shaped(text)])))),
				),
				fc.boolean(),
				([text, value], asText) => {
					const body = JSON.stringify({ ...value, [text]: text });
					const issues = issuesOf(asText ? body.replaceAll('"', "'") : body);
					expect(issues.length).toBeGreaterThan(0);
					expect(JSON.stringify(issues)).not.toContain(text);
					expect(describeIssues(issues)).not.toContain(text);
				},
			),
		);
	});

	test("never throws, whatever the text is", () => {
		const anyField = Object.fromEntries(fields.map((field) => [field, fc.jsonValue()]));
		fc.assert(
			fc.property(
				fc.oneof(
					fc.string({ unit: "binary" }),
					fc.json(),
					fc.record(anyField).map((it) => JSON.stringify(it)),
				),
				(text) => {
					decodeCallback(text);
				},
			),
			{ numRuns: 50 },
		);
		decodeCallback(`${"[".repeat(100_000)}`);
		decodeCallback(`{"game_id":${"[".repeat(50_000)}${"]".repeat(50_000)}}`);
	});
});

describe("a callback", () => {
	test("is decoded as the SDKs for Java and Python send it", () => {
		expect(decode(JSON.stringify(wire))).toEqual(callback);
		expect(decode(JSON.stringify(wire, null, 1))).toEqual(callback);
	});

	test("is decoded as PHP sends it: numbers as strings, escaped slashes and characters", () => {
		const php = JSON.stringify({
			...wire,
			account_domain: "0",
			version: "1",
			expire_time: "1639238400000",
			project_id: "云游戏",
		})
			.replaceAll("/", "\\/")
			.replaceAll("云游戏", "\\u4e91\\u6e38\\u620f");
		expect(php).toContain("http:\\/\\/");
		expect(decode(php)).toEqual({ ...callback, projectId: "云游戏" });
	});

	test("may have any version", () => {
		for (const version of [0, 2, 99, "3", -1]) {
			expect(decode(JSON.stringify({ ...wire, version })).version).toBe(Number(version));
		}
	});

	test("may have keys that we do not know", () => {
		const text = JSON.stringify({ ...wire, later: { a: 1 } }).replace("{", '{"__proto__":{"game_id":"x"},');
		expect(decode(text)).toEqual(callback);
		expect(Object.getPrototypeOf(decode(text))).toBe(Object.prototype);
	});

	test("may have an https link, and one with a port, a user and no path", () => {
		for (const download_url of [
			"https://h",
			"http://u:p@h:8080/a?b#c",
			"HTTP://H/%2e%2e/x",
			"http://[::1]/",
		]) {
			expect(decode(JSON.stringify({ ...wire, download_url })).downloadUrl).toBe(download_url);
		}
	});

	test("keeps texts exactly: untrimmed, not normalised, with NUL and lone surrogates", () => {
		for (const text of [
			"",
			" a ",
			"e\u0301",
			"\u00e9",
			"\u0000",
			"\ud800",
			"../../etc/passwd",
			"x".repeat(4096),
		]) {
			expect(decode(JSON.stringify({ ...wire, track_info: text, account_id: text }))).toEqual({
				...callback,
				trackInfo: text,
				accountId: text,
			});
		}
	});

	test("keeps a percent sequence of its link as it is", () => {
		const download_url = "http://h/a%2Fb?Signature=a%3D%253D+b";
		expect(decode(JSON.stringify({ ...wire, download_url })).downloadUrl).toBe(download_url);
	});

	test("is the same after it was encoded and decoded", () => {
		const text = fc.string({ unit: "binary" });
		const any = fc.record({
			gameId: text,
			trackInfo: text,
			accountDomain: fc.maxSafeInteger(),
			downloadUrl: fc.webUrl({ withQueryParameters: true, withFragments: true }),
			version: fc.maxSafeInteger(),
			accountId: text,
			expireTime: fc.maxSafeInteger(),
			action: fc.constant(SCREEN_RECORDING_CALL_BACK),
			projectId: text,
		});
		fc.assert(
			fc.property(any, (it) => {
				const encoded = ScreenRecordCallback.encode(it);
				expect(decode(JSON.stringify(encoded))).toEqual(it);
				expect(ScreenRecordCallback.is(it)).toBe(true);
				const strings = { ...encoded, version: String(it.version), expire_time: String(it.expireTime) };
				expect(decode(JSON.stringify(strings))).toEqual(it);
			}),
		);
	});

	test("is told from what is none", () => {
		expect(ScreenRecordCallback.is(callback)).toBe(true);
		for (const other of [
			undefined,
			null,
			wire,
			{ ...callback, version: "1" },
			{ ...callback, action: "OTHER" },
		]) {
			expect(ScreenRecordCallback.is(other)).toBe(false);
		}
	});
});

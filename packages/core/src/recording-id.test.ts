import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	hashFields,
	isRecordingStream,
	quarantineStream,
	recordingIdOf,
	recordingStream,
} from "./recording-id.js";
import type { ScreenRecordCallback } from "./screen-record-callback.js";

const callback: ScreenRecordCallback = {
	gameId: "cgdctwrqs",
	trackInfo: "track",
	accountDomain: 0,
	downloadUrl: "http://bucket.example.com/a/720p.mp4?Signature=x#y",
	version: 1,
	accountId: "account",
	expireTime: 1,
	action: "SCREEN_RECORDING_CALL_BACK",
	projectId: "project",
};
const id = { projectId: "project", trackInfo: "track", object: "h/o" };
/** Texts that careless hashing confuses. */
const hostile = [
	"",
	" ",
	"a",
	"a ",
	"a\u0000",
	"A",
	"e\u0301",
	"\u00e9",
	"\ufffd",
	"\ud800",
	"\ud801",
	"\udc00",
	"\\ud800",
	'"',
	'\\"',
	"1:a",
	'3:"a"',
	"../../etc/passwd",
	"x".repeat(4096),
	"x".repeat(4097),
	"游戏",
	"__proto__",
];
const anyText = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: "binary" }));

describe("the name of a stream", () => {
	test("is another for every other identity, field by field", () => {
		const names = new Set<string>();
		for (const text of hostile) {
			for (const field of Object.keys(id)) names.add(recordingStream({ ...id, [field]: text }));
		}
		expect(names.size).toBe(hostile.length * 3);
	});

	test("is another when text moves from one field to the next", () => {
		fc.assert(
			fc.property(anyText, anyText, fc.nat(), (a, b, cut) => {
				const whole = a + b;
				const at = cut % (whole.length + 1);
				fc.pre(whole.slice(0, at) !== a);
				const [left, right] = [whole.slice(0, at), whole.slice(at)];
				expect(hashFields([left, right, ""])).not.toBe(hashFields([a, b, ""]));
				expect(hashFields(["", left, right])).not.toBe(hashFields(["", a, b]));
				expect(hashFields([whole])).not.toBe(hashFields([a, b]));
			}),
		);
	});

	test("is injective over fields of any number, and the same for the same ones", () => {
		const anyFields = fc.array(anyText, { maxLength: 4 });
		fc.assert(
			fc.property(anyFields, anyFields, (a, b) => {
				expect(hashFields(a) === hashFields(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
				expect(hashFields([...a])).toBe(hashFields(a));
			}),
			{ numRuns: 500 },
		);
	});

	test("is short visible ASCII, whatever the identity", () => {
		fc.assert(
			fc.property(anyText, anyText, anyText, (projectId, trackInfo, object) => {
				const name = recordingStream({ projectId, trackInfo, object });
				expect(name).toMatch(/^recording-[0-9a-f]{64}$/);
				expect(isRecordingStream(name)).toBe(true);
			}),
		);
	});

	test("does not change from release to release", () => {
		expect(recordingStream(id)).toBe(
			"recording-7b3bb45dc5aac6b477a5aa5b585fd2e5ffd9ca30c8d3e90c07fb811d9333b49e",
		);
		expect(quarantineStream("app", Uint8Array.of(1, 2))).toBe(
			"quarantine-563705142afd93ff79a56001c742c52b16566684c2084ed1fa3f2b24449ccff3",
		);
	});

	test("of a quarantined body is its own for each app and each body", () => {
		const one = quarantineStream("app", Uint8Array.of(1, 2));
		expect(isRecordingStream(one)).toBe(false);
		expect(quarantineStream("app", Uint8Array.of(1, 2))).toBe(one);
		expect(quarantineStream("ap", Uint8Array.of(1, 2))).not.toBe(one);
		expect(quarantineStream("app", Uint8Array.of(1))).not.toBe(one);
		expect(quarantineStream("app", new Uint8Array())).not.toBe(one);
	});
});

describe("the identity of a recording", () => {
	test("is its project, its track, and host and path of its link", () => {
		expect(recordingIdOf(callback)).toEqual({
			projectId: "project",
			trackInfo: "track",
			object: "bucket.example.com/a/720p.mp4",
		});
	});

	test("is the same whatever the query, the fragment, the user and the expiry are", () => {
		for (const downloadUrl of [
			"http://bucket.example.com/a/720p.mp4",
			"http://u:p@bucket.example.com/a/720p.mp4?Signature=y",
			"https://BUCKET.example.com/a/720p.mp4#z",
			"http://bucket.example.com:80/a/720p.mp4",
		]) {
			expect(recordingIdOf({ ...callback, downloadUrl, expireTime: 2 })).toEqual(recordingIdOf(callback));
		}
	});

	test("is another for another object, another case of its path and another port", () => {
		for (const downloadUrl of [
			"http://bucket.example.com/a/1080p.mp4",
			"http://bucket.example.com/A/720p.mp4",
			"http://bucket.example.com/a%2F720p.mp4",
			"http://bucket.example.com/a/720p.mp4/",
			"http://bucket.example.com:8080/a/720p.mp4",
			"http://other.example.com/a/720p.mp4",
		]) {
			expect(recordingIdOf({ ...callback, downloadUrl })).not.toEqual(recordingIdOf(callback));
		}
	});

	test("is refused to what was never decoded", () => {
		expect(() => recordingIdOf({ ...callback, downloadUrl: "ftp://h/o" })).toThrow(TypeError);
	});
});

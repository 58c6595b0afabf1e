import { describe, expect, it } from "vitest";
import {
	isResumeOf,
	makeValidator,
	parseContentRange,
	rangeHeaders,
	readRest,
	readResume,
} from "./resume.js";

const LINK = new URL("http://b.aliyuncs.com/v.mp4?Expires=1&Signature=s3cret");
const MODIFIED = "Mon, 23 Nov 2026 08:00:00 GMT";
const A_MINUTE_LATER = "Mon, 23 Nov 2026 08:01:00 GMT";
const ALMOST = "Mon, 23 Nov 2026 08:00:59 GMT";

const byEtag = makeValidator(LINK, { etag: '"a1"' }, 100) ?? "";
const byDate = makeValidator(LINK, { "last-modified": MODIFIED, date: A_MINUTE_LATER }, 100) ?? "";

describe("makeValidator", () => {
	it.each([
		[{ etag: 'W/"a1"' }],
		[{ etag: '""' }],
		[{ etag: "a1" }],
		[{ etag: '"a1' }],
		[{ etag: '"a"1"' }],
		[{ etag: '"a 1"' }],
		[{ etag: '"ä"' }],
		[{ etag: `"${"a".repeat(255)}"` }],
		[{ "last-modified": MODIFIED }],
		[{ "last-modified": MODIFIED, date: ALMOST }],
		[{ "last-modified": MODIFIED, date: "soon" }],
		[{ "last-modified": "2026-11-23T08:00:00Z", date: A_MINUTE_LATER }],
		[{ "last-modified": A_MINUTE_LATER, date: MODIFIED }],
		[{}],
	])("makes none of %j", (headers) => {
		expect(makeValidator(LINK, headers, 100)).toBeUndefined();
	});

	it("makes one of a strong ETag, or of a date that has settled and a length", () => {
		expect(byEtag).not.toBe("");
		expect(byDate).not.toBe("");
		expect(makeValidator(LINK, { etag: '"a1"' }, undefined)).toBeDefined();
		const headers = { "last-modified": MODIFIED, date: A_MINUTE_LATER };
		expect(makeValidator(LINK, headers, undefined)).toBeUndefined();
		expect(makeValidator(LINK, { etag: 'W/"a1"', ...headers }, 100)).toBe(byDate);
	});

	it("says nothing of the link", () => {
		expect(byEtag).not.toMatch(/s3cret|aliyuncs|v\.mp4/);
		expect(byEtag.length).toBeLessThan(200);
	});
});

describe("readResume", () => {
	it.each([
		[undefined, byEtag],
		[0, byEtag],
		[10, undefined],
		[100, byEtag],
		[101, byEtag],
		[10, ""],
		[10, "etag"],
		[10, "null"],
		[10, "[]"],
		[10, "{}"],
		[10, JSON.stringify({ etag: '"a1"' })],
		[10, JSON.stringify({ object: "o", etag: 'W/"a1"' })],
		[10, JSON.stringify({ object: "o", etag: '"a1"\r\nhost: evil' })],
		[10, JSON.stringify({ object: "o", etag: '"a1"', totalBytes: "100" })],
		[10, JSON.stringify({ object: "o", lastModified: MODIFIED })],
		[10, JSON.stringify({ object: "o", lastModified: `${MODIFIED}\n`, totalBytes: 100 })],
		[10, JSON.stringify({ object: "o", etag: '"a1"', more: "x".repeat(1_000) })],
	])("starts anew at %j with %j", (offset, validator) => {
		expect(readResume(offset, validator)).toBeUndefined();
	});

	it("goes on where the validator is ours, for its own object only, whatever its query", () => {
		const resume = readResume(10, byEtag);
		if (resume === undefined) throw new Error("it starts anew");
		expect(isResumeOf(LINK, resume)).toBe(true);
		expect(isResumeOf(new URL("https://b.aliyuncs.com/v.mp4?Expires=2"), resume)).toBe(true);
		expect(isResumeOf(new URL("http://b.aliyuncs.com/w.mp4?Expires=1"), resume)).toBe(false);
		expect(isResumeOf(new URL("http://c.aliyuncs.com/v.mp4?Expires=1"), resume)).toBe(false);
		expect(isResumeOf(new URL("http://b.aliyuncs.com:8080/v.mp4"), resume)).toBe(false);
	});
});

describe("rangeHeaders", () => {
	it("asks for the rest of this very object", () => {
		const etag = readResume(10, byEtag);
		const date = readResume(99, byDate);
		expect(etag && rangeHeaders(etag)).toEqual({
			range: "bytes=10-",
			"if-match": '"a1"',
			"if-range": '"a1"',
		});
		expect(date && rangeHeaders(date)).toEqual({
			range: "bytes=99-",
			"if-unmodified-since": MODIFIED,
			"if-range": MODIFIED,
		});
	});
});

describe("readRest", () => {
	const GOOD = { etag: '"a1"', "content-range": "bytes 10-99/100", "content-length": "90" };
	const rest = (headers: Record<string, string>, offset = 10, validator = byEtag) => {
		const resume = readResume(offset, validator);
		if (resume === undefined) throw new Error("it starts anew");
		return readRest(headers, resume);
	};

	it("takes the rest of the same object", () => {
		expect(rest(GOOD)).toEqual({ start: 10, end: 100, totalBytes: 100 });
		expect(rest({ ...GOOD, "content-range": "Bytes 99-99/100", "content-length": "1" }, 99)).toBeDefined();
		const chunked = { etag: '"a1"', "content-range": "bytes 10-99/100" };
		expect(rest(chunked)).toBeDefined();
		const dated = { "last-modified": MODIFIED, "content-range": "bytes 10-99/100" };
		expect(rest(dated, 10, byDate)).toBeDefined();
	});

	it.each([
		["another ETag", { etag: '"a2"' }],
		["a weak ETag", { etag: 'W/"a1"' }],
		["an ETag in other letters", { etag: '"A1"' }],
		["no ETag", { etag: "" }],
		["an earlier start", { "content-range": "bytes 9-99/100", "content-length": "91" }],
		["a later start", { "content-range": "bytes 11-99/100", "content-length": "89" }],
		["less than the rest", { "content-range": "bytes 10-98/100", "content-length": "89" }],
		["a larger object", { "content-range": "bytes 10-199/200", "content-length": "190" }],
		["a smaller object", { "content-range": "bytes 10-49/50", "content-length": "40" }],
		["an object of unknown length", { "content-range": "bytes 10-99/*" }],
		["no range", { "content-range": "" }],
		["an unsatisfied range", { "content-range": "bytes */100" }],
		["a range in other units", { "content-range": "octets 10-99/100" }],
		["a longer body", { "content-length": "91" }],
		["a shorter body", { "content-length": "89" }],
	])("takes no answer with %s", (_what, headers) => {
		expect(rest({ ...GOOD, ...headers })).toBeUndefined();
	});

	it.each([{}, { "last-modified": A_MINUTE_LATER }, { etag: '"a1"' }])(
		"takes no answer by date with %j",
		(headers) => {
			expect(rest({ "content-range": "bytes 10-99/100", ...headers }, 10, byDate)).toBeUndefined();
		},
	);
});

describe("parseContentRange", () => {
	it.each([
		undefined,
		"",
		"bytes",
		"bytes 5-4/10",
		"bytes 0-10/10",
		"bytes -1-5/10",
		"bytes 0-5/10, 6-9/10",
		"bytes=0-5/10",
		"bytes 0-5/ 10",
		"bytes 0x0-5/10",
		"bytes 0-5/1e3",
		`bytes 0-5/${"9".repeat(16)}`,
	])("reads nothing in %j", (value) => {
		expect(parseContentRange(value)).toBeUndefined();
	});

	it("reads first and last byte, and the length", () => {
		expect(parseContentRange(" bytes 0-9/10 ")).toEqual({ start: 0, end: 10, totalBytes: 10 });
		expect(parseContentRange("bytes 5-5/10")).toEqual({ start: 5, end: 6, totalBytes: 10 });
	});
});

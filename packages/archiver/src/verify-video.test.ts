import type { OriginChecksums } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { findMismatch, HEAD_BYTES, type Stated } from "./verify-video.js";

const MD5 = "0".repeat(32);
const PAGE = { message: expect.stringContaining("page"), isDoubtful: false };
/** As a video begins: the size of its first box, and its type. */
const VIDEO = "\0\0\0\x18ftypisom";

/** What was received when the origin sent `body` (letters of Latin-1) and nothing was damaged on the way. */
function received(body: string, checksums: OriginChecksums = {}) {
	const bytes = Buffer.from(body, "latin1");
	return { bytes: bytes.length, sha256: "0".repeat(64), head: bytes.subarray(0, HEAD_BYTES), checksums };
}
const mismatchOf = (body: string, stated: Partial<Stated> = {}, made: OriginChecksums = {}) =>
	findMismatch({ checksums: {}, ...stated }, received(body, made));

describe("a page in the place of a video", () => {
	it.each([
		["a doctype", "<!DOCTYPE html><html><body>log in</body></html>"],
		["a comment", "<!-- portal --><html></html>"],
		["a script", "<script>top.location.href='http://10.0.0.1/login'</script>"],
		["a redirect", "<head><meta http-equiv=refresh content='0;url=/login'></head>"],
		["an error in XML", '<?xml version="1.0"?><Error/>'],
		["an XML element of any name", "<soap:Envelope/>"],
		["a byte order mark", "\xef\xbb\xbf<html></html>"],
		["a byte order mark and blank lines", "\xef\xbb\xbf\r\n\t <html></html>"],
		["many blank lines", `${"\r\n".repeat(HEAD_BYTES / 2 - 1)} <html></html>`],
	])("is told by its first bytes: %s", (_what, body) => {
		expect(mismatchOf(body)).toEqual(PAGE);
		expect(mismatchOf(body, { contentType: "video/mp4", checksums: { md5: MD5 } }, { md5: MD5 })).toEqual(
			PAGE,
		);
	});

	it.each([
		["text/html"],
		["TEXT/HTML; charset=utf-8"],
		[" text/html\t;charset=utf-8"],
		["application/xhtml+xml"],
		["text/xml"],
		["application/xml"],
		["application/soap+xml; action=x"],
		["application/json"],
		["Application/JSON;charset=UTF-8"],
	])("is told by its content type: %s", (contentType) => {
		expect(mismatchOf('{"code":401}', { contentType })).toEqual(PAGE);
		expect(mismatchOf(VIDEO, { contentType })).toEqual(PAGE);
	});

	it("is not told by a content type when a checksum that the origin stated is right", () => {
		const contentType = "text/html";
		const ofMd5 = { contentType, checksums: { md5: MD5 } };
		const ofCrc64 = { contentType, checksums: { crc64: "7" } };
		expect(mismatchOf(VIDEO, ofMd5, { md5: MD5 })).toBeUndefined();
		expect(mismatchOf(VIDEO, { ...ofMd5, isMd5Etag: true }, { md5: MD5 })).toBeUndefined();
		expect(mismatchOf(VIDEO, ofCrc64, { crc64: "7" })).toBeUndefined();
		const etagIsOther = { ...ofCrc64, checksums: { crc64: "7", md5: MD5 }, isMd5Etag: true };
		expect(mismatchOf(VIDEO, etagIsOther, { crc64: "7", md5: "1".repeat(32) })).toBeUndefined();
	});

	it("is told by a content type when the checksums are wrong, without a doubt", () => {
		const stated = { contentType: "text/html", checksums: { md5: MD5 }, isMd5Etag: true, totalBytes: 12 };
		expect(mismatchOf('{"code":401}', stated, { md5: "1".repeat(32) })).toEqual(PAGE);
	});
});

describe("a video", () => {
	it.each([
		[undefined],
		["video/mp4"],
		["application/octet-stream"],
		["binary/octet-stream"],
		["text/plain"],
		["image/svg+xml"],
		["application/jsonfoo"],
		["video/mp4; was=text/html"],
		[""],
	])("is no page, whatever else its content type is: %s", (contentType) => {
		expect(mismatchOf(VIDEO, contentType === undefined ? {} : { contentType })).toBeUndefined();
	});

	it.each([["\0<html>"], ["\x1a\x45\xdf\xa3<"], ["FLV<"], ["\xef\xbb<html>"], [" \0 <html>"]])(
		"is no page where the first byte that is not blank is no bracket: %j",
		(body) => {
			expect(mismatchOf(body)).toBeUndefined();
		},
	);
});

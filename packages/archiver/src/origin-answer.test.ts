import { describe, expect, it } from "vitest";
import { md5OfEtag, parseRetryAfter, readOriginError, readStatedMd5 } from "./origin-answer.js";

const NOW = Date.UTC(2026, 10, 23);
const xml = (code: string, message: string, more = ""): string =>
	`<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n <Code>${code}</Code>\n <Message>${message}</Message>\n${more}</Error>`;
const read = (status: number, body = "", retryAfter?: string) =>
	readOriginError({ status, body, retryAfter, requestId: "67AB0F" }, NOW);

describe("readOriginError", () => {
	it.each([
		[403, xml("AccessDenied", "Request has expired."), "expired"],
		[403, xml("AccessDenied", "Request has expired"), "expired"],
		[403, xml("AccessDenied", "no", "<EC>0002-00000069</EC>"), "expired"],
		[403, xml("SecurityTokenExpired", "The security token has expired."), "expired"],
		[400, xml("ExpiredToken", "The provided token has expired."), "expired"],
		[403, xml("AccessDenied", "You have no right to access this object."), "refused"],
		[403, xml("SignatureDoesNotMatch", "Request has expired."), "refused"],
		[403, "Request has expired", "refused"],
		[403, "<html><Code>AccessDenied</Code><Message>Request has expired</Message></html>", "refused"],
		[401, "", "refused"],
		[400, "", "refused"],
		[404, xml("NoSuchKey", "The specified key does not exist."), "not-found"],
		[404, "", "not-found"],
		[410, "", "not-found"],
		[408, "", "busy"],
		[425, "", "busy"],
		[429, "", "busy"],
		[503, xml("ServiceUnavailable", "Please try again."), "busy"],
		[500, "", "failed"],
		[502, "", "failed"],
		[412, "", "failed"],
		[416, "", "failed"],
		[304, "", "failed"],
	] as const)("reads %i %j as %s", (status, body, reason) => {
		expect(read(status, body)).toMatchObject({ _tag: "Unavailable", reason });
	});

	it("names the status, the code and the request, and nothing else of the body", () => {
		const echo = "<SignatureProvided>c2VjcmV0</SignatureProvided><StringToSign>GET secret</StringToSign>";
		const { message } = read(403, xml("SignatureDoesNotMatch", "secret", echo));
		expect(message).toBe("the origin answered 403 SignatureDoesNotMatch (request 67AB0F)");
	});

	it("does not quote a code or a request id that could be anything else", () => {
		const body = xml("Signature=c2VjcmV0&amp;x", "no");
		const { message } = readOriginError({ status: 403, body, requestId: "a b?Signature=x" }, NOW);
		expect(message).toBe("the origin answered 403");
	});

	it("passes the origin's patience on", () => {
		expect(read(429, "", "7").retryAfterMs).toBe(7_000);
		expect(read(429).retryAfterMs).toBeUndefined();
	});
});

describe("parseRetryAfter", () => {
	it.each([
		["soon", undefined],
		["", undefined],
		["-5", 0],
		["9".repeat(65), undefined],
		["999999999", 86_400_000],
		[new Date(NOW - 5_000).toUTCString(), 0],
		[new Date(NOW + 5_000).toUTCString(), 5_000],
		["120", 120_000],
	])("reads %j as %s", (value, delayMs) => {
		expect(parseRetryAfter(value, NOW)).toBe(delayMs);
	});
});

describe("readStatedMd5", () => {
	const hex = "5eb63bbbe01eeed093cb22bb8f5acdc3";
	const etag = `"${hex}"`;
	const base64 = Buffer.from(hex, "hex").toString("base64");

	it.each(["Appendable", "Multipart", "Symlink", ""])(
		"takes the ETag of an object of type %j for none",
		(type) => {
			expect(readStatedMd5({ etag, "x-oss-object-type": type })).toBeUndefined();
		},
	);

	it.each([
		["an ETag of no type", { etag }],
		["an ETag of a normal object", { etag, "x-oss-object-type": "Normal" }],
		["an ETag behind a Content-MD5 that is none", { etag, "content-md5": "soon" }],
	])("takes %s for what may be one", (_what, headers) => {
		expect(readStatedMd5(headers)).toEqual({ md5: hex, isEtag: true });
	});

	it.each([{}, { etag }, { etag: '"other"' }, { etag, "x-oss-object-type": "Appendable" }])(
		"takes Content-MD5 at its word, whatever else there is: %j",
		(headers) => {
			expect(readStatedMd5({ ...headers, "content-md5": base64 })).toEqual({ md5: hex, isEtag: false });
		},
	);

	it("finds none where none is", () => {
		expect(readStatedMd5({})).toBeUndefined();
		expect(readStatedMd5({ "content-md5": `${base64}AAAA` })).toBeUndefined();
	});
});

describe("md5OfEtag", () => {
	it.each([
		[undefined, undefined],
		['W/"5EB63BBBE01EEED093CB22BB8F5ACDC3"', undefined],
		['"5EB63BBBE01EEED093CB22BB8F5ACDC3-2"', undefined],
		["5EB63BBBE01EEED093CB22BB8F5ACDC3", undefined],
		['"5EB63BBBE01EEED093CB22BB8F5ACDC3"', "5eb63bbbe01eeed093cb22bb8f5acdc3"],
	])("reads %j as %s", (etag, md5) => {
		expect(md5OfEtag(etag)).toBe(md5);
	});
});

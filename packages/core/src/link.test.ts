import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linkExpiry, linkFingerprint, linkObject, maskLink, parseLink } from "./link.js";

function urlOf(link: string): URL {
	const url = parseLink(link);
	if (url === undefined) throw new Error("no link");
	return url;
}
const expiryOf = (query: string) => linkExpiry(urlOf(`http://h/o?${query}`));

describe("a link", () => {
	test("is http or https, with a host", () => {
		for (const link of [
			"",
			"h/o",
			"//h/o",
			"ftp://h/o",
			"file:///o",
			"javascript:1",
			"blob:http://h/o",
			"http://",
			"http:",
			"http://[h",
		]) {
			expect(parseLink(link)).toBeUndefined();
		}
		for (const link of [
			"http://h",
			"HTTPS://H/o",
			"http://127.0.0.1:1/",
			"http://[::1]/o",
			"http://h/游戏",
		]) {
			expect(parseLink(link)).toBeInstanceOf(URL);
		}
	});

	test("is shown without user, query and fragment", () => {
		expect(maskLink(urlOf("http://user:hunter2@h:8080/a/b.mp4?Signature=x#part"))).toBe(
			"http://h:8080/a/b.mp4?***",
		);
		expect(maskLink(urlOf("https://h/b.mp4#part"))).toBe("https://h/b.mp4");
		expect(maskLink(urlOf("https://hunter2@h/"))).toBe("https://h/");
	});

	test("never shows a marker from user, query or fragment, masked or as an object", () => {
		const marker = fc.uuid();
		fc.assert(
			fc.property(marker, fc.subarray(["user", "query", "fragment"], { minLength: 1 }), (text, places) => {
				const user = places.includes("user") ? `${text}:${text}@` : "";
				const query = places.includes("query") ? `?${text}=${text}&x=${text}` : "";
				const fragment = places.includes("fragment") ? `#${text}` : "";
				const url = urlOf(`http://${user}h/o.mp4${query}${fragment}`);
				expect(maskLink(url) + linkObject(url)).not.toContain(text);
			}),
		);
	});

	test("names its object by host, port and path as they stand", () => {
		expect(linkObject(urlOf("http://H:80/a%2Fb/游.mp4?x"))).toBe("h/a%2Fb/%E6%B8%B8.mp4");
		expect(linkObject(urlOf("https://h:80/"))).toBe("h:80/");
	});

	test("has a fingerprint that differs for every other spelling", () => {
		const spellings = ["http://h/o?a=1", "http://h/o?a=2", "http://h/o?a=1#", "http://h/o", "HTTP://h/o?a=1"];
		expect(new Set(spellings.map(linkFingerprint)).size).toBe(spellings.length);
		expect(linkFingerprint("http://h/o")).toMatch(/^[0-9a-f]{64}$/);
	});
});

describe("what a link says of its own expiry", () => {
	test("is nothing when nothing can be read", () => {
		for (const query of [
			"",
			"Expires=",
			"Expires=soon",
			"Expires=-5",
			"Expires=1.5",
			"Expires=1e9",
			"Expires=%201700000000",
			"Expires=1234567890123456",
			"x-oss-date=20250101T000000Z",
			"X-Amz-Expires=3600",
			"X-Amz-Date=2025-01-01&X-Amz-Expires=3600",
			"X-Amz-Date=20250101T000000Z&X-Amz-Expires=1h",
		]) {
			expect(expiryOf(query), query).toBeUndefined();
		}
	});

	test("is OSS V1's Expires, in seconds", () => {
		expect(expiryOf("OSSAccessKeyId=x&Expires=1700003600&Signature=y")).toEqual({
			at: 1_700_003_600_000,
			value: 1_700_003_600,
		});
		expect(expiryOf("expires=361605860928")).toEqual({ at: 361_605_860_928_000, value: 361_605_860_928 });
	});

	test("is OSS V2's x-oss-expires, in seconds since the epoch", () => {
		expect(expiryOf("x-oss-signature-version=OSS2&x-oss-expires=1700003600")).toEqual({
			at: 1_700_003_600_000,
			value: 1_700_003_600,
		});
	});

	test("is the start and duration of OSS V4 and S3", () => {
		const at = Date.UTC(2025, 0, 1, 1);
		expect(expiryOf("x-oss-date=20250101T000000Z&x-oss-expires=3600")).toEqual({ at, value: 3600 });
		expect(expiryOf("X-Amz-Date=20250101T000000Z&X-Amz-Expires=3600&X-Amz-Signature=x")).toEqual({
			at,
			value: 3600,
		});
	});
});

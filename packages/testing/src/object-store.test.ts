import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ObjectStore, startObjectStore } from "./object-store.js";
import { sign, stringToSign } from "./presigned-link.js";
import { sampleVideo } from "./sample-video.js";

const NAME = "录像/720p.mp4";
let store: ObjectStore;
let video: Uint8Array;

beforeEach(async () => {
	video = await sampleVideo();
	store = await startObjectStore({ objects: { [NAME]: video } });
});
afterEach(() => store.close());

const link = (name = NAME): string => store.presign(name, Date.now() + 60_000);

async function get(url: string, init: RequestInit = {}) {
	const response = await fetch(url, init);
	return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("a presigned link", () => {
	it("is refused when it has expired, in OSS's words", async () => {
		const { status, text } = await get(store.presign(NAME, Date.now() - 1_000));
		expect(status).toBe(403);
		expect(text).toContain("<Code>AccessDenied</Code>");
		expect(text).toContain("<Message>Request has expired.</Message>");
	});

	it("is refused for HEAD, with a content type, and with another signature, which is echoed", async () => {
		expect((await get(link(), { method: "HEAD" })).status).toBe(403);
		expect((await get(link(), { headers: { "content-type": "video/mp4" } })).status).toBe(403);
		expect((await get(link(), { headers: { "x-oss-traffic-limit": "1" } })).status).toBe(403);
		const forged = await get(link().replace(/Signature=.{4}/, "Signature=AAAA"));
		expect(forged.status).toBe(403);
		expect(forged.text).toContain("<SignatureProvided>AAAA");
	});

	it("is needed", async () => {
		expect((await get(`${store.origin}/${NAME}`)).status).toBe(403);
	});

	it("finds no object that is not there", async () => {
		const { status, text } = await get(link("none.mp4"));
		expect(status).toBe(404);
		expect(text).toContain("<Code>NoSuchKey</Code>");
	});

	it("fetches the object, or a range of it, with its MD5 as ETag", async () => {
		const response = await fetch(link());
		expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(video));
		const md5 = createHash("md5").update(video).digest("hex").toUpperCase();
		expect(response.headers.get("etag")).toBe(`"${md5}"`);
		const part = await fetch(link(), { headers: { range: "bytes=100-199" } });
		expect(part.status).toBe(206);
		expect(part.headers.get("content-range")).toBe(`bytes 100-199/${video.length}`);
		expect(Buffer.from(await part.arrayBuffer())).toEqual(Buffer.from(video.slice(100, 200)));
		expect(store.requests(NAME)).toBe(2);
		expect(store.requests()).toBe(2);
	});

	it("is signed as OSS's documentation signs its example, and other SDKs their links", () => {
		const accessKeySecret = "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV";
		const credentials = { accessKeyId: "44CF9590006BF252F707", accessKeySecret };
		const headers = {
			"content-md5": "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=",
			"content-type": "text/html",
			"x-oss-meta-author": "foo@bar.com",
			"x-oss-magic": "abracadabra",
		};
		// The documentation's example signs a header: a date stands where a link has its `Expires`.
		const documented = {
			verb: "PUT",
			headers,
			expires: "Thu, 17 Nov 2005 18:49:58 GMT",
			objectName: "nelson",
		};
		const link = { verb: "GET", headers: {}, expires: "1141889120", objectName: "oss-api.pdf" };
		const signed = [documented, link].map((parts) =>
			sign(stringToSign({ ...parts, bucket: "oss-example" }), credentials),
		);
		expect(signed).toEqual(["26NBxoKdsyly4EDv6inkoDft/yA=", "EwaNTn1erJGkimiJ9WmXgwnANLc="]);
	});
});

describe("the sample video", () => {
	it("is an MP4 with its index in front", () => {
		const text = Buffer.from(video).toString("latin1");
		expect(text.slice(4, 8)).toBe("ftyp");
		expect(text.indexOf("moov")).toBeGreaterThan(0);
		expect(text.indexOf("moov")).toBeLessThan(text.indexOf("mdat"));
		expect(video.length).toBeLessThan(30_000);
	});
});

describe("a fault", () => {
	it("happens once, in its order, and then all is well again", async () => {
		store.fault(NAME, { _tag: "Status", status: 503, retryAfter: "1" }, { _tag: "Drop", afterBytes: 100 });
		const busy = await get(link());
		expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "1"]);
		await expect(get(link())).rejects.toThrow();
		expect((await get(link())).status).toBe(200);
	});

	it("drips, shortens, corrupts, hides the length and redirects", async () => {
		store.fault(
			NAME,
			{ _tag: "Drip", chunkBytes: 4_000, delayMs: 1 },
			{ _tag: "Shorten", toBytes: 10 },
			{ _tag: "Corrupt", atByte: 5 },
			{ _tag: "NoLength" },
			{ _tag: "Headers", headers: { etag: '"other"' } },
			{ _tag: "Redirect", location: link() },
		);
		const whole = Buffer.from(video);
		const body = async () => Buffer.from(await (await fetch(link())).arrayBuffer());
		expect(await body()).toEqual(whole);
		expect(await body()).toEqual(whole.subarray(0, 10));
		const corrupt = await body();
		expect(corrupt[5]).toBe((whole[5] ?? 0) ^ 0xff);
		expect(corrupt.subarray(6)).toEqual(whole.subarray(6));
		expect((await fetch(link())).headers.get("content-length")).toBeNull();
		expect((await fetch(link())).headers.get("etag")).toBe('"other"');
		expect(await body()).toEqual(whole);
	});
});

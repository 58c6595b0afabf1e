import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OSS_HABITS } from "./held-object.js";
import { LINK_EXPIRED, type ObjectFault } from "./object-fault.js";
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
	it("happens once, in its order, and then all is well again, unless one lasts", async () => {
		store.faultForever(NAME, { _tag: "Status", status: 500 });
		store.fault(NAME, { _tag: "Status", status: 503, retryAfter: "1" }, { _tag: "Drop", afterBytes: 100 });
		const busy = await get(link());
		expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "1"]);
		await expect(get(link())).rejects.toThrow();
		expect([(await get(link())).status, (await get(link())).status]).toEqual([500, 500]);
		store.faultForever(NAME, undefined);
		expect((await get(link())).status).toBe(200);
	});

	it("that would never end is refused", () => {
		const never: ObjectFault = { _tag: "Drip", chunkBytes: 0, delayMs: 0 };
		expect(() => store.fault(NAME, { _tag: "All", faults: [never] })).toThrow(RangeError);
		expect(() => store.faultRanges(NAME, { _tag: "OfRange", fault: never })).toThrow(RangeError);
		expect(() => store.faultForever(NAME, { ...never, chunkBytes: 0.5 })).toThrow(RangeError);
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

	it("says a wrong length, cuts the end off unseen, and says that the link has expired", async () => {
		store.fault(
			NAME,
			{ _tag: "MisstateLength", byBytes: 10 },
			{ _tag: "MisstateLength", byBytes: -10 },
			{ _tag: "Cut", toBytes: 100 },
			{ _tag: "Lengthen", byBytes: 5 },
			{ _tag: "All", faults: [{ _tag: "NoLength" }, { _tag: "Drop", afterBytes: 200 }] },
			LINK_EXPIRED,
		);
		const whole = Buffer.from(video);
		const body = async () => Buffer.from(await (await fetch(link())).arrayBuffer());
		await expect(body()).rejects.toThrow();
		const response = await fetch(link());
		expect(response.headers.get("content-length")).toBe(String(whole.length - 10));
		await response.arrayBuffer().catch(() => undefined);
		const cut = await fetch(link());
		expect(cut.headers.get("content-length")).toBeNull();
		expect(Buffer.from(await cut.arrayBuffer())).toEqual(whole.subarray(0, 100));
		expect(await body()).toEqual(Buffer.concat([whole, Buffer.alloc(5)]));
		await expect(body()).rejects.toThrow();
		const expired = await get(link());
		expect([expired.status, expired.text]).toEqual([403, expect.stringContaining("Request has expired.")]);
		expect(await body()).toEqual(whole);
	});
});

describe("what is said about an object", () => {
	const headers = async (init: RequestInit = {}) => (await fetch(link(), init)).headers;

	it("is an ETag alone, unless the object has other habits", async () => {
		const plain = await headers();
		const names = ["x-oss-hash-crc64ecma", "x-oss-object-type", "last-modified", "content-md5"];
		expect(names.map((name) => plain.get(name))).toEqual([null, null, null, null]);
		const text = new TextEncoder().encode("123456789");
		store.put(NAME, text, { ...OSS_HABITS, contentMd5: true });
		const told = await headers();
		expect(told.get("x-oss-hash-crc64ecma")).toBe("11051210869376104954");
		expect(told.get("x-oss-object-type")).toBe("Normal");
		expect(Math.abs(Date.parse(told.get("last-modified") ?? "") - Date.now())).toBeLessThan(60_000);
		expect(told.get("content-md5")).toBe(createHash("md5").update(text).digest("base64"));
		const part = await headers({ headers: { range: "bytes=1-" } });
		expect(part.get("x-oss-hash-crc64ecma")).toBe("11051210869376104954");
		expect(part.get("content-md5")).toBeNull();
	});

	it("is an ETag of whatever kind, another one for other bytes", async () => {
		const shapes = {
			md5: /^"[0-9A-F]{32}"$/,
			other: /^"[0-9A-F]{32}"$/,
			parts: /^"[0-9A-F]{32}-2"$/,
			weak: /^W\/"[0-9A-F]{32}"$/,
		};
		const seen = new Set<string | null>();
		for (const kind of ["md5", "other", "parts", "weak"] as const) {
			for (const bytes of [video, video.subarray(1)]) {
				store.put(NAME, bytes, { etag: kind });
				const etag = (await headers()).get("etag");
				expect(etag).toMatch(shapes[kind]);
				seen.add(etag);
			}
		}
		expect(seen.size).toBe(8);
		store.put(NAME, video, { etag: "none" });
		expect((await headers()).get("etag")).toBeNull();
	});
});

describe("a range", () => {
	const ask = async (headers: Record<string, string>) => {
		const response = await fetch(link(), { headers });
		return {
			status: response.status,
			headers: response.headers,
			body: Buffer.from(await response.arrayBuffer()),
		};
	};
	const etag = async () => (await fetch(link())).headers.get("etag") ?? "";

	it("is sent of the object that the conditions name, and of no other", async () => {
		const tag = await etag();
		const range = "bytes=100-";
		expect((await ask({ range, "if-match": tag })).body).toEqual(Buffer.from(video.subarray(100)));
		expect((await ask({ range, "if-match": `"other", ${tag}` })).status).toBe(206);
		expect((await ask({ range, "if-match": "*" })).status).toBe(206);
		expect((await ask({ range, "if-range": tag })).status).toBe(206);
		expect((await ask({ range, "if-range": '"other"' })).body).toEqual(Buffer.from(video));
		const refused = await ask({ range, "if-match": '"other"', "if-range": '"other"' });
		expect(refused.status).toBe(412);
		expect(refused.body.toString()).toContain("<Code>PreconditionFailed</Code>");
		store.put(NAME, video, { etag: "weak", modifiedMsAgo: 120_000 });
		const weak = await etag();
		expect((await ask({ range, "if-match": weak })).status).toBe(412);
		expect((await ask({ range, "if-range": weak })).status).toBe(200);
		const date = (await ask({})).headers.get("last-modified") ?? "";
		expect((await ask({ range, "if-unmodified-since": date, "if-range": date })).status).toBe(206);
		store.put(NAME, video, { etag: "weak", modifiedMsAgo: 0 });
		expect((await ask({ range, "if-unmodified-since": date })).status).toBe(412);
		expect((await ask({ range, "if-range": date })).status).toBe(200);
	});

	it("behind the end is the whole object, or refused where the object is so", async () => {
		const range = `bytes=${video.length}-`;
		expect((await ask({ range })).status).toBe(200);
		store.put(NAME, video, { refusesRanges: true });
		const refused = await ask({ range });
		expect(refused.status).toBe(416);
		expect(refused.headers.get("content-range")).toBe(`bytes */${video.length}`);
	});

	it("has faults of its own", async () => {
		const whole = Buffer.from(video);
		store.faultRanges(
			NAME,
			{ _tag: "IgnoreRange" },
			{ _tag: "ShiftRange", byBytes: 10 },
			{ _tag: "ShiftRange", byBytes: -200 },
			{ _tag: "SkewRange", byBytes: -50 },
			{ _tag: "MisstateTotal", byBytes: 7 },
			{ _tag: "Shorten", toBytes: 20 },
			{ _tag: "Lengthen", byBytes: 20 },
			{ _tag: "Corrupt", atByte: 3 },
			{ _tag: "Replace", by: whole.subarray(0, 500) },
		);
		expect((await ask({})).status).toBe(200);
		const rest = () => ask({ range: "bytes=100-" });
		const said = ({ status, headers: told }: Awaited<ReturnType<typeof rest>>) => [
			status,
			told.get("content-range"),
			told.get("content-length"),
		];
		const { length } = whole;
		expect(said(await rest())).toEqual([200, null, String(length)]);
		const late = await rest();
		expect(said(late)).toEqual([206, `bytes 110-${length - 1}/${length}`, String(length - 110)]);
		expect(late.body).toEqual(whole.subarray(110));
		expect((await rest()).body).toEqual(whole);
		const skewed = await rest();
		expect(said(skewed)).toEqual([206, `bytes 100-${length - 1}/${length}`, String(length - 100)]);
		expect(skewed.body).toEqual(whole.subarray(50, -50));
		expect((await rest()).headers.get("content-range")).toBe(`bytes 100-${length - 1}/${length + 7}`);
		expect((await rest()).body).toEqual(whole.subarray(100, 120));
		expect((await rest()).body).toEqual(Buffer.concat([whole.subarray(100), Buffer.alloc(20)]));
		expect((await rest()).body[3]).toBe((whole[103] ?? 0) ^ 0xff);
		expect((await rest()).body).toEqual(whole.subarray(100, 500));
		expect((await rest()).body).toEqual(whole.subarray(100, 500));
	});
});

describe("what was asked", () => {
	it("is told with the range, its conditions, and how much was sent", async () => {
		await fetch(link()).then((response) => response.arrayBuffer());
		store.fault(NAME, { _tag: "Drop", afterBytes: 50 });
		const headers = { range: "bytes=100-", "if-match": "*", "if-range": '"other"' };
		await fetch(link(), { headers })
			.then((response) => response.arrayBuffer())
			.catch(() => undefined);
		await get(link("none.mp4"));
		expect(store.asked(NAME)).toEqual([
			{ name: NAME, status: 200, bodyBytes: video.length },
			{ name: NAME, range: "bytes=100-", ifMatch: "*", ifRange: '"other"', status: 200, bodyBytes: 50 },
		]);
		await vi.waitFor(() => expect(store.asked("none.mp4")).toMatchObject([{ status: 404, bodyBytes: 0 }]));
		expect(store.asked()).toHaveLength(3);
	});
});

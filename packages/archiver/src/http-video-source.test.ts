import { createHash } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { OpenVideoResult } from "@reelkeep/core/ports";
import { transcribe } from "@reelkeep/harness/transcript";
import { type ObjectFault, type ObjectStore, sampleVideo, startObjectStore } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHttpVideoSource, type HttpVideoSourceOptions } from "./http-video-source.js";

const NAME = "720p.mp4";
const HOUR = 3_600_000;
const LOCAL: HttpVideoSourceOptions = { allowHosts: ["127.0.0.1"], allowPrivateNetwork: true };

let origin: ObjectStore;
let video: Uint8Array;
const closers: (() => void)[] = [];

beforeEach(async () => {
	video = await sampleVideo();
	origin = await startObjectStore({ objects: { [NAME]: video } });
});
afterEach(async () => {
	for (const close of closers.splice(0)) close();
	await origin.close();
});

async function open(
	link: string,
	options: HttpVideoSourceOptions = LOCAL,
	signal = new AbortController().signal,
): Promise<OpenVideoResult> {
	const result = await createHttpVideoSource(options).open(link, { signal });
	if (result._tag === "Unavailable") transcribe("error", result.message);
	return result;
}

async function openFaulty(fault: ObjectFault, options = LOCAL): Promise<OpenVideoResult> {
	origin.fault(NAME, fault);
	return open(origin.presign(NAME, Date.now() + HOUR), options);
}

async function read(result: OpenVideoResult): Promise<Uint8Array> {
	if (result._tag !== "Opened") throw new Error(result.message);
	const chunks: Uint8Array[] = [];
	for await (const chunk of result.body) chunks.push(Buffer.from(chunk));
	return Buffer.concat(chunks);
}

async function serve(listener: RequestListener): Promise<string> {
	const server = createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closers.push(() => {
		server.close();
		server.closeAllConnections();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What is out of bounds: no-way-inside.test.ts. */
describe("where the HTTP source goes", () => {
	it("is the address that was checked, whatever the resolver says afterwards", async () => {
		const answers = [["127.0.0.1"], ["169.254.169.254"]];
		let asked = 0;
		const resolve = async () => answers[asked++] ?? [];
		const link = origin.presign(NAME, Date.now() + HOUR).replace("127.0.0.1", "bucket.example");
		const result = await open(link, { allowHosts: ["*.example"], allowPrivateNetwork: true, resolve });
		expect(await read(result)).toEqual(video);
		expect(asked).toBe(1);
	});

	it("is behind three redirects at most", async () => {
		const link = origin.presign(NAME, Date.now() + HOUR);
		const redirect: ObjectFault = { _tag: "Redirect", location: link, status: 307 };
		origin.fault(NAME, redirect, redirect, redirect, redirect);
		expect(await open(link)).toMatchObject({ reason: "failed", message: expect.stringContaining("3 times") });
		origin.fault(NAME, redirect, redirect, redirect);
		expect(await read(await open(link))).toEqual(video);
	});
});

describe("createHttpVideoSource", () => {
	it.each([0, -1, 65_536, 80.5, Number.NaN])("throws for %d, which is no port", (port) => {
		expect(() => createHttpVideoSource({ allowPorts: [80, port] })).toThrow(RangeError);
	});
});

describe("what the HTTP source makes of an answer", () => {
	it("takes an expired link for expired, a forged one for refused and an absent object for not found", async () => {
		expect(await open(origin.presign(NAME, Date.now() - HOUR))).toMatchObject({ reason: "expired" });
		expect(await open(origin.presign("none.mp4", Date.now() + HOUR))).toMatchObject({ reason: "not-found" });
		const forged = origin.presign(NAME, Date.now() + HOUR).replace(/Signature=.{8}/, "Signature=AAAAAAAA");
		const refused = await open(forged);
		expect(refused).toMatchObject({
			reason: "refused",
			message: expect.stringContaining("SignatureDoesNotMatch"),
		});
		expect(JSON.stringify(refused)).not.toContain("AAAAAAAA");
	});

	it("hands on how long a busy origin wants to be left alone", async () => {
		const fault: ObjectFault = { _tag: "Status", status: 503, retryAfter: "3" };
		expect(await openFaulty(fault)).toMatchObject({ reason: "busy", retryAfterMs: 3_000 });
	});

	it("refuses an encoding that nobody asked for", async () => {
		const fault: ObjectFault = { _tag: "Headers", headers: { "content-encoding": "gzip" } };
		expect(await openFaulty(fault)).toMatchObject({
			reason: "failed",
			message: expect.stringContaining("encoded"),
		});
	});

	it("refuses a part that nobody asked for", async () => {
		const link = await serve((_request, response) => response.writeHead(206).end("part"));
		expect(await open(link)).toMatchObject({ reason: "failed", message: expect.stringContaining("206") });
	});

	it("refuses a video that says that it is too large, and stops one that turns out to be", async () => {
		const small = { ...LOCAL, maxBytes: 1_000 };
		const link = origin.presign(NAME, Date.now() + HOUR);
		expect(await open(link, small)).toMatchObject({
			reason: "too-large",
			message: expect.stringContaining("1000"),
		});
		const body = read(await openFaulty({ _tag: "NoLength" }, small));
		await expect(body).rejects.toMatchObject({ _tag: "SourceFault", reason: "too-large" });
	});

	it("throws when the body ends early, whether its length was stated or not", async () => {
		const dropped = read(await openFaulty({ _tag: "Drop", afterBytes: 5_000 }));
		await expect(dropped).rejects.toMatchObject({ _tag: "SourceFault", reason: "broke-off" });
		const link = await serve((_request, response) => {
			response.write("chunk");
			setTimeout(() => response.destroy(), 20);
		});
		await expect(read(await open(link))).rejects.toMatchObject({ _tag: "SourceFault", reason: "broke-off" });
	});

	it("refuses a body that ends with its connection, unless its MD5 tells that it is whole", async () => {
		const body = "a video, or its first half";
		const md5 = createHash("md5").update(body);
		const etag = `"${md5.digest("hex")}"`;
		const link = await serve((request, response) => {
			response.useChunkedEncodingByDefault = false;
			response.writeHead(200, request.url === "/whole" ? { etag } : {});
			response.write(body);
			response.end();
		});
		expect(await open(`${link}/half`)).toMatchObject({
			_tag: "Unavailable",
			reason: "failed",
			message: expect.stringContaining("neither a length nor a checksum"),
		});
		const whole = await open(`${link}/whole`);
		expect(whole).not.toHaveProperty("totalBytes");
		expect(Buffer.from(await read(whole)).toString()).toBe(body);
	});

	it("throws when the body trickles, though it never falls silent", async () => {
		const trickle: ObjectFault = { _tag: "Drip", chunkBytes: 1, delayMs: 5 };
		const options = { ...LOCAL, minBytesPerSecond: 10_000, throughputWindowMs: 50 };
		await expect(read(await openFaulty(trickle, options))).rejects.toMatchObject({
			_tag: "SourceFault",
			reason: "stalled",
			message: expect.stringContaining("minBytesPerSecond"),
		});
	});

	it("does not take a slow reader for a slow origin", async () => {
		const size = 256 * 1024;
		origin.put("long.mp4", new Uint8Array(size));
		const link = origin.presign("long.mp4", Date.now() + HOUR);
		const options = { ...LOCAL, minBytesPerSecond: 100 * size, throughputWindowMs: 500 };
		const result = await open(link, options);
		if (result._tag !== "Opened") throw new Error(result.message);
		let bytes = 0;
		for await (const chunk of result.body) {
			if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 600));
			bytes += chunk.length;
		}
		expect(bytes).toBe(size);
	});

	it("throws when the body falls silent", async () => {
		const body = read(await openFaulty({ _tag: "Stall", afterBytes: 100 }, { ...LOCAL, idleTimeoutMs: 50 }));
		await expect(body).rejects.toMatchObject({ _tag: "SourceFault", reason: "stalled" });
	});

	it("does not take a slow reader for a silent origin", async () => {
		const size = 2 * 1024 * 1024;
		origin.put("long.mp4", new Uint8Array(size));
		const link = origin.presign("long.mp4", Date.now() + HOUR);
		const result = await open(link, { ...LOCAL, idleTimeoutMs: 60 });
		if (result._tag !== "Opened") throw new Error(result.message);
		let bytes = 0;
		for await (const chunk of result.body) {
			if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 180));
			bytes += chunk.length;
		}
		expect(bytes).toBe(size);
	});

	it("gives up on a host that does not answer, does not speak HTTP, is not there, or cannot be resolved", async () => {
		const sockets: Socket[] = [];
		const silent = createTcpServer((socket) => sockets.push(socket));
		await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
		closers.push(() => {
			silent.close();
			for (const socket of sockets) socket.destroy();
		});
		const { port } = silent.address() as AddressInfo;
		const quick = { ...LOCAL, firstByteTimeoutMs: 50, connectTimeoutMs: 50 };
		const message = expect.stringContaining("in time");
		expect(await open(`http://127.0.0.1:${port}/v`, quick)).toMatchObject({ reason: "failed", message });
		expect(await open(`https://127.0.0.1:${port}/v`, quick)).toMatchObject({
			reason: "unreachable",
			message,
		});
		const unresolved = { allowHosts: ["*.example"], connectTimeoutMs: 50 };
		const never = () => new Promise<readonly string[]>(() => undefined);
		const nobody = async () => Promise.reject(new Error("ENOTFOUND"));
		for (const resolve of [never, nobody, async () => []]) {
			expect(await open("http://a.example/v", { ...unresolved, resolve })).toMatchObject({
				reason: "unreachable",
			});
		}
		const gone = await startObjectStore();
		await gone.close();
		expect(await open(gone.presign(NAME, Date.now() + HOUR))).toMatchObject({
			reason: "unreachable",
			message: expect.stringContaining("ECONNREFUSED"),
		});
	});

	it("does not wait for a name to be resolved when it was told to stop before", async () => {
		let asked = 0;
		const resolve = () => {
			asked += 1;
			return new Promise<readonly string[]>(() => undefined);
		};
		const options = { allowHosts: ["*.example"], resolve };
		const result = await open("http://a.example/v", options, AbortSignal.abort());
		expect(result).toMatchObject({ reason: "unreachable" });
		expect(asked).toBe(0);
	});

	it("stops at once when it is told to, before and within the body", async () => {
		const early = AbortSignal.abort();
		const link = origin.presign(NAME, Date.now() + HOUR);
		expect(await open(link, LOCAL, early)).toMatchObject({ reason: "unreachable" });
		const later = new AbortController();
		origin.fault(NAME, { _tag: "Stall", afterBytes: 100 });
		const body = read(await open(link, LOCAL, later.signal));
		later.abort();
		await expect(body).rejects.toMatchObject({ _tag: "SourceFault" });
	});

	it("hands out the bytes with what the origin said about them", async () => {
		const result = await open(origin.presign(NAME, Date.now() + HOUR));
		expect(result).toMatchObject({
			_tag: "Opened",
			offset: 0,
			totalBytes: video.length,
			contentType: "video/mp4",
			checksums: { md5: expect.stringMatching(/^[0-9a-f]{32}$/) },
		});
		expect(await read(result)).toEqual(video);
	});

	it("asks by GET, for no encoding, without a content type, an OSS header or a pooled connection", async () => {
		const asked: unknown[] = [];
		const link = await serve((request, response) => {
			asked.push([request.method, request.url, { ...request.headers, host: "" }]);
			response.end("video");
		});
		await read(await open(`${link}/v.mp4?Expires=1`));
		const headers = { accept: "*/*", "accept-encoding": "identity", connection: "close", host: "" };
		expect(asked).toEqual([["GET", "/v.mp4?Expires=1", headers]]);
	});
});

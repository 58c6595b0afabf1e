import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { OpenedVideo, OpenVideoResult } from "@reelkeep/core/ports";
import { transcribe } from "@reelkeep/harness/transcript";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHttpVideoSource } from "./http-video-source.js";

const VIDEO = Buffer.from(Array.from({ length: 1_000 }, (_, at) => at % 251));
const OFFSET = 400;
const REST = VIDEO.subarray(OFFSET);
const MD5 = createHash("md5").update(VIDEO).digest("hex");
const ETAG = `"${MD5.toUpperCase()}"`;
const CRC64 = "11051210869376104954";
const MODIFIED = "Mon, 23 Nov 2026 08:00:00 GMT";
const DATE = "Mon, 23 Nov 2026 09:00:00 GMT";

/** Head and body as they go over the wire. */
type Answer = readonly [status: number, headers: Record<string, string | number>, body: Uint8Array | string];

let server: Server;
let link: string;
let answers: (headers: IncomingHttpHeaders) => Answer;
let requests: IncomingHttpHeaders[];
const sockets = new Set<Socket>();

/** Answers by hand: `node:http` would not send what does not fit together. */
beforeEach(async () => {
	requests = [];
	server = createServer((socket) => {
		sockets.add(socket);
		socket.on("error", () => undefined);
		socket.once("data", (data) => {
			const lines = data.toString("latin1").split("\r\n").slice(1, -2);
			const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s)));
			requests.push(headers);
			const [status, fields, body] = answers(headers);
			const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
			socket.write(`HTTP/1.1 ${status} X\r\n${head.join("")}connection: close\r\n\r\n`, "latin1");
			socket.end(body);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	link = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v.mp4`;
	answers = honest;
});
afterEach(() => {
	server.close();
	for (const socket of sockets) socket.destroy();
});

const WHOLE: Answer = [200, { etag: ETAG, "content-length": 1_000, "x-oss-hash-crc64ecma": CRC64 }, VIDEO];
const PART: Answer = [
	206,
	{
		etag: ETAG,
		"content-length": 600,
		"content-range": "bytes 400-999/1000",
		"x-oss-hash-crc64ecma": CRC64,
		"content-md5": createHash("md5").update(REST).digest("base64"),
	},
	REST,
];
const honest = ({ range }: IncomingHttpHeaders): Answer => (range === undefined ? WHOLE : PART);
/** Answers a range with `part`, and all else as it should be. */
const withPart =
	(status: number, headers: Record<string, string | number> = {}, body: Uint8Array | string = REST) =>
	({ range }: IncomingHttpHeaders): Answer =>
		range === undefined ? WHOLE : [status, { ...PART[1], ...headers }, body];

const source = createHttpVideoSource({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });

async function open(from: { offset?: number; validator?: string } = {}, to = link): Promise<OpenVideoResult> {
	const result = await source.open(to, { ...from, signal: new AbortController().signal });
	if (result._tag === "Unavailable") transcribe("error", result.message);
	return result;
}

async function opened(from: { offset?: number; validator?: string } = {}, to = link): Promise<OpenedVideo> {
	const result = await open(from, to);
	if (result._tag !== "Opened") throw new Error(result.message);
	return result;
}

async function read({ body }: OpenedVideo): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of body) chunks.push(Buffer.from(chunk));
	return Buffer.concat(chunks);
}

/** Opens, takes the validator, and opens once more behind `OFFSET`. */
async function resume(offset = OFFSET): Promise<OpenedVideo> {
	const { validator = "" } = await opened();
	requests.splice(0);
	return opened({ offset, validator });
}

describe("going on with a video", () => {
	it("asks for the rest of the same object, and gets it with the checksums of the whole", async () => {
		const rest = await resume();
		expect(requests).toMatchObject([{ range: "bytes=400-", "if-match": ETAG }]);
		expect(requests[0]?.["if-range"]).toBe(ETAG);
		expect(rest).toMatchObject({
			offset: OFFSET,
			totalBytes: 1_000,
			etag: ETAG,
			checksums: { md5: MD5, crc64: CRC64 },
			isMd5Etag: true,
		});
		expect(await read(rest)).toEqual(REST);
		expect(rest.validator).toBe((await opened()).validator);
	});

	it("goes on by the date of an object without a strong ETag", async () => {
		const dated = { etag: `W/${ETAG}`, "last-modified": MODIFIED, date: DATE };
		answers = ({ range }) => {
			const [status, headers, body] = range === undefined ? WHOLE : PART;
			return [status, { ...headers, ...dated }, body];
		};
		const rest = await resume();
		expect(rest.offset).toBe(OFFSET);
		expect(requests).toMatchObject([{ "if-unmodified-since": MODIFIED, "if-range": MODIFIED }]);
		expect(requests[0]).not.toHaveProperty("if-match");
		expect(await read(rest)).toEqual(REST);
	});

	it("takes a rest whose end is told by chunks, or by its connection", async () => {
		const { validator = "" } = await opened();
		const { "content-length": _, ...headers } = PART[1];
		answers = () => [206, headers, REST];
		expect(await read(await opened({ offset: OFFSET, validator }))).toEqual(REST);
		const body = Buffer.concat([Buffer.from("258\r\n"), REST, Buffer.from("\r\n0\r\n\r\n")]);
		answers = () => [206, { ...headers, "transfer-encoding": "chunked" }, body];
		expect(await read(await opened({ offset: OFFSET, validator }))).toEqual(REST);
	});

	it.each([
		["no validator", { offset: OFFSET }],
		["one of another source", { offset: OFFSET, validator: "W/1" }],
		["nothing before it", { offset: 0, validator: '{"object":"o","etag":"\\"e\\""}' }],
	])("starts at 0 with %s, without asking for a range", async (_what, from) => {
		const whole = await opened(from);
		expect(requests).toHaveLength(1);
		expect(requests[0]).not.toHaveProperty("range");
		expect(whole.offset).toBe(0);
		expect(await read(whole)).toEqual(VIDEO);
	});

	it("starts at 0 with another object, without asking for a range", async () => {
		const { validator = "" } = await opened();
		requests.splice(0);
		const other = await opened({ offset: OFFSET, validator }, link.replace("v.mp4", "w.mp4"));
		expect(other.offset).toBe(0);
		expect(requests).toHaveLength(1);
		expect(requests[0]).not.toHaveProperty("range");
	});

	it("asks for a range only at the end of a redirect, where its object is", async () => {
		const { validator = "" } = await opened();
		requests.splice(0);
		answers = (headers) => (requests.length === 1 ? [302, { location: link }, ""] : honest(headers));
		const rest = await opened({ offset: OFFSET, validator }, link.replace("v.mp4", "short"));
		expect(requests.map(({ range }) => range)).toEqual([undefined, "bytes=400-"]);
		expect(await read(rest)).toEqual(REST);
	});
});

describe("an origin that does not go on", () => {
	it("but sends all of it is taken at its word, and not asked again", async () => {
		answers = () => [200, { ...WHOLE[1], etag: '"other"' }, VIDEO];
		const whole = await resume();
		expect(requests).toHaveLength(1);
		expect(whole).toMatchObject({ offset: 0, totalBytes: 1_000, etag: '"other"' });
		expect(await read(whole)).toEqual(VIDEO);
	});

	it.each([
		["412", withPart(412, {}, "")],
		["416", withPart(416, { "content-range": "bytes */1000" }, "")],
		["400", withPart(400, {}, "")],
		["501", withPart(501, {}, "")],
		["206 of another ETag", withPart(206, { etag: '"other"' })],
		["206 of a weak ETag", withPart(206, { etag: `W/${ETAG}` })],
		["206 of an earlier start", withPart(206, { "content-range": "bytes 399-998/1000" })],
		["206 of the beginning", withPart(206, { "content-range": "bytes 0-599/600" })],
		["206 of a later end", withPart(206, { "content-range": "bytes 400-1000/1001", "content-length": 601 })],
		[
			"206 of a part of the rest",
			withPart(206, { "content-range": "bytes 400-499/1000", "content-length": 100 }),
		],
		["206 of unknown length", withPart(206, { "content-range": "bytes 400-999/*" })],
		["206 with a range that is none", withPart(206, { "content-range": "400-999" })],
		[
			"206 in two parts",
			withPart(206, { "content-range": "", "content-type": "multipart/byteranges; boundary=x" }),
		],
		["206 whose length is not its range's", withPart(206, { "content-length": 599 })],
		["206 that is encoded", withPart(206, { "content-encoding": "gzip" })],
		["200 with a part", withPart(200)],
		["204", withPart(204, {}, "")],
	])("but answers %s is asked once more, for all of it", async (_what, answer) => {
		answers = answer;
		const whole = await resume();
		expect(requests.map(({ range }) => range)).toEqual(["bytes=400-", undefined]);
		expect(requests[1]).not.toHaveProperty("if-match");
		expect(requests[1]).not.toHaveProperty("if-range");
		expect(whole).toMatchObject({ offset: 0, totalBytes: 1_000, checksums: { md5: MD5, crc64: CRC64 } });
		expect(await read(whole)).toEqual(VIDEO);
	});

	it.each([
		[403, "refused"],
		[404, "not-found"],
		[429, "busy"],
		[503, "busy"],
		[500, "failed"],
	])("but answers %i is not asked again", async (status, reason) => {
		const { validator = "" } = await opened();
		requests.splice(0);
		answers = () => [status, { "content-length": 0, "retry-after": 7 }, ""];
		expect(await open({ offset: OFFSET, validator })).toMatchObject({ reason, retryAfterMs: 7_000 });
		expect(requests).toHaveLength(1);
	});

	it("nor gives all of it is not asked a third time", async () => {
		const { validator = "" } = await opened();
		requests.splice(0);
		answers = () => [416, { "content-length": 0 }, ""];
		expect(await open({ offset: OFFSET, validator })).toMatchObject({ reason: "failed" });
		answers = () => PART;
		expect(await open({ offset: OFFSET + 1, validator })).toMatchObject({ reason: "failed" });
		expect(requests).toHaveLength(4);
	});

	it("but says that it is too large is not asked again", async () => {
		const { validator = "" } = await opened();
		requests.splice(0);
		const small = createHttpVideoSource({
			allowHosts: ["127.0.0.1"],
			allowPrivateNetwork: true,
			maxBytes: 999,
		});
		const { signal } = new AbortController();
		const result = await small.open(link, { offset: OFFSET, validator, signal });
		expect(result).toMatchObject({ reason: "too-large" });
		expect(requests).toHaveLength(1);
	});
});

describe("a rest of another length than its range", () => {
	const { "content-length": _, ...unframed } = PART[1];
	const chunked = (body: Uint8Array): Buffer =>
		Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);

	it.each([
		["ends early", PART[1], REST.subarray(1)],
		["ends early with its connection", unframed, REST.subarray(1)],
		["goes on with its connection", unframed, Buffer.concat([REST, VIDEO])],
		["has too few chunks", { ...unframed, "transfer-encoding": "chunked" }, chunked(REST.subarray(1))],
		["has too many chunks", { ...unframed, "transfer-encoding": "chunked" }, chunked(VIDEO)],
	])("is a fault when it %s", async (_what, headers, body) => {
		const { validator = "" } = await opened();
		answers = () => [206, headers, body];
		const rest = await opened({ offset: OFFSET, validator });
		await expect(read(rest)).rejects.toMatchObject({ _tag: "SourceFault", reason: "broke-off" });
	});
});

describe("a whole video", () => {
	it("is none when it says that it is a part", async () => {
		answers = () => [200, PART[1], REST];
		expect(await open()).toMatchObject({ reason: "failed", message: expect.stringContaining("part") });
		answers = () => [200, { ...WHOLE[1], "content-range": "bytes 0-999/1000" }, VIDEO];
		expect(await read(await opened())).toEqual(VIDEO);
	});

	it.each([
		["18446744073709551615", "18446744073709551615"],
		["007", "7"],
		["18446744073709551616", undefined],
		["-1", undefined],
		["0x1f", undefined],
		["1".repeat(21), undefined],
		["", undefined],
	])("has the CRC-64 %j as %j", async (stated, crc64) => {
		answers = () => [200, { ...WHOLE[1], "x-oss-hash-crc64ecma": stated }, VIDEO];
		expect((await opened()).checksums.crc64).toBe(crc64);
	});
});

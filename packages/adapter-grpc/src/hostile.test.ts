// Bytes that are no HTTP/2, and gRPC messages that are none: each attack, then the proof that it did no harm.

import { deflateSync, gzipSync } from "node:zlib";
import { status as Code } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, GOOD, GOOD_MESSAGE, hostileScenes, MARK } from "../test/hostile-scene.js";
import { data, END_STREAM, Frame, grpcMessage, HELLO, open, PREFACE } from "../test/raw-connection.js";

const scenes = hostileScenes();
beforeEach(() => scenes.begin());
afterEach(() => scenes.end());

/** Begins like TLS 1.2's ClientHello. */
const CLIENT_HELLO = Buffer.from("16030100c8010000c40303", "hex");
const noise = Buffer.from(Array.from({ length: 4096 }, (_, index) => (Math.imul(index, 7919) >>> 3) & 255));

describe("a connection that does not speak HTTP/2", () => {
	it.each([
		["an HTTP/1.1 GET", Buffer.from(`GET /${MARK} HTTP/1.1\r\nHost: ${MARK}\r\n\r\n`)],
		["an HTTP/1.1 POST", Buffer.from(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n${MARK}`)],
		["an upgrade to h2c", Buffer.from("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")],
		["TLS on a port that has none", CLIENT_HELLO],
		["noise", noise],
		["the preface, then noise", Buffer.concat([PREFACE, noise])],
		["the preface, then a call", Buffer.concat([PREFACE, open(1), data(1, GOOD_MESSAGE, END_STREAM)])],
	])("is closed: %s", async (_, bytes) => {
		const scene = await scenes.start();
		const connection = await scene.raw();
		await connection.send(bytes);
		await connection.closed;
		await scene.expectUnharmed();
	});

	it.each([
		["says nothing", Buffer.alloc(0)],
		["stops within the preface", PREFACE.subarray(0, 10)],
		["says hello and no more", HELLO],
	])("is closed when it has been idle for too long: %s", async (_, bytes) => {
		const scene = await scenes.start({ connectionIdleMs: 200 });
		const connection = await scene.raw();
		await connection.send(bytes);
		await connection.closed;
		await scene.expectUnharmed();
	});
});

const varint = (value: number): number[] =>
	value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
/** A field of wire type 2. */
const field = (number: number, bytes: Uint8Array): Buffer =>
	Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
const nested = (depth: number): Buffer => (depth === 0 ? Buffer.alloc(0) : field(1, nested(depth - 1)));
const groups = (depth: number): Buffer =>
	Buffer.concat([GOOD, Buffer.alloc(depth, 9 * 8 + 3), Buffer.alloc(depth, 9 * 8 + 4)]);

describe("a message that is no report", () => {
	it.each([
		["of no bytes", Buffer.alloc(0)],
		["that is no protobuf", Buffer.from("ffffffff", "hex")],
		["with a field that is longer than the message", Buffer.from([0x12, 100, 1])],
		["with text that is no UTF-8", field(1, field(1, Buffer.from([0xc3, 0x28])))],
		["with 200 messages in each other", nested(200)],
		["with 200 groups in each other", groups(200)],
		["with 60,000 groups in each other", groups(60_000)],
		["with groups that never end", Buffer.alloc(200_000, 9 * 8 + 3)],
		["with an empty request_param", field(2, Buffer.alloc(0))],
	])("is INVALID_ARGUMENT: one %s", async (_, bytes) => {
		const scene = await scenes.start();
		const answer = await call(scene.session(), { send: (stream) => stream.end(grpcMessage(bytes)) });
		expect(answer).toMatchObject({ http: 200, status: Code.INVALID_ARGUMENT });
		await scene.expectUnharmed();
	});

	it.each([
		["unknown fields", Buffer.concat([field(1000, Buffer.from(MARK)), GOOD]), "{}"],
		["both members of its oneof: the last one counts", Buffer.concat([field(1, nested(0)), GOOD]), "{}"],
		["a field twice: the last one counts", Buffer.concat([field(2, Buffer.from("[]")), GOOD]), "{}"],
		["request_param that is no UTF-8, as its bytes", field(2, Buffer.from([0xc3, 0x28])), "c328"],
	])("but is taken when all it has is %s", async (_, bytes, expected) => {
		const scene = await scenes.start();
		const answer = await call(scene.session(), { send: (stream) => stream.end(grpcMessage(bytes)) });
		expect(answer).toMatchObject({ http: 200, status: Code.OK });
		const [report] = scene.reports;
		const { requestParam = "" } = report ?? {};
		expect(typeof requestParam === "string" ? requestParam : Buffer.from(requestParam).toString("hex")).toBe(
			expected,
		);
		await scene.expectUnharmed(1);
	});
});

/** What grpc-js says of what is no gRPC, as far as a status can say it. */
const { OK, INTERNAL, UNIMPLEMENTED, RESOURCE_EXHAUSTED } = Code;
const gzip = { "grpc-encoding": "gzip" };

describe("a message in false framing", () => {
	it.each([
		["that is shorter than it says", {}, grpcMessage(GOOD, { length: 50 }), UNIMPLEMENTED],
		["of four bytes of framing", {}, GOOD_MESSAGE.subarray(0, 4), UNIMPLEMENTED],
		["that is not there", {}, Buffer.alloc(0), UNIMPLEMENTED],
		["that says 4 GiB", {}, grpcMessage(GOOD, { length: 0xffffffff }), RESOURCE_EXHAUSTED],
		["that comes twice", {}, Buffer.concat([GOOD_MESSAGE, GOOD_MESSAGE]), UNIMPLEMENTED],
		["with something behind it that never ends", {}, Buffer.concat([GOOD_MESSAGE, Buffer.alloc(3)]), OK],
		["marked as compressed, by nothing", {}, grpcMessage(GOOD, { flag: 1 }), OK],
		["marked with 255", {}, grpcMessage(GOOD, { flag: 255 }), OK],
		["by an unknown encoding", { "grpc-encoding": MARK }, grpcMessage(GOOD, { flag: 1 }), UNIMPLEMENTED],
	])("gets a status: one %s", async (_, headers, bytes, status) => {
		const scene = await scenes.start();
		const answer = await call(scene.session(), { headers, send: (stream) => stream.end(bytes) });
		expect(answer).toMatchObject({ http: 200, status });
		await scene.expectUnharmed(status === OK ? 1 : 0);
	});

	it.each([
		["garbage as gzip", gzip, noise],
		["garbage as deflate", { "grpc-encoding": "deflate" }, noise],
		["nothing as gzip", gzip, Buffer.alloc(0)],
		["half of a gzip", gzip, gzipSync(GOOD).subarray(0, 12)],
	])("gets a status: %s", async (_, headers, bytes) => {
		const scene = await scenes.start();
		const message = grpcMessage(bytes, { flag: 1 });
		const answer = await call(scene.session(), { headers, send: (stream) => stream.end(message) });
		expect([INTERNAL, UNIMPLEMENTED]).toContain(answer.status);
		await scene.expectUnharmed();
	});

	it("is taken when its bytes come one by one", async () => {
		const scene = await scenes.start();
		const connection = await scene.raw();
		const bytes = [...GOOD_MESSAGE].map((byte) => data(1, Buffer.from([byte])));
		await connection.send(HELLO, open(1));
		for (const byte of bytes) {
			await connection.send(byte);
			await new Promise((resolve) => setImmediate(resolve));
		}
		await connection.send(data(1, Buffer.alloc(0), END_STREAM));
		await connection.until(
			({ type, flags, stream }) => type === Frame.HEADERS && stream === 1 && (flags & END_STREAM) !== 0,
		);
		await scene.expectUnharmed(1);
	});
});

describe("a message that grows when it is inflated", () => {
	it("is refused at the limit: 64 MiB of zeros in 64 KiB", async () => {
		const scene = await scenes.start();
		const bomb = grpcMessage(gzipSync(Buffer.alloc(64 * 1024 * 1024)), { flag: 1 });
		const before = process.memoryUsage.rss();
		const answer = await call(scene.session(), { headers: gzip, send: (stream) => stream.end(bomb) });
		expect([RESOURCE_EXHAUSTED, UNIMPLEMENTED]).toContain(answer.status);
		expect(process.memoryUsage.rss() - before).toBeLessThan(32 * 1024 * 1024);
		await scene.expectUnharmed();
	});

	// grpc-js alone inflates all that a DATA frame brings at once, before anybody knows who calls.
	it("is not inflated together with a thousand others that one call may not have", async () => {
		const inflating = vi.spyOn((await import("node:zlib")).default, "createInflate");
		const scene = await scenes.start();
		const message = grpcMessage(deflateSync(Buffer.alloc(0)), { flag: 1 });
		const messages = Buffer.concat(Array.from({ length: 1000 }, () => message));
		const headers = { "grpc-encoding": "deflate" };
		const answer = await call(scene.session(), { headers, send: (stream) => stream.end(messages) });
		expect(answer.status).toBe(UNIMPLEMENTED);
		const { length } = inflating.mock.calls;
		inflating.mockRestore();
		await scene.expectUnharmed();
		expect(length).toBeLessThan(3);
	});
});

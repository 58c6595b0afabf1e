// Too many connections, and connections that talk and talk: frames that belong to no call, or to one that never moves.

import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import { status as Code } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, GOOD_MESSAGE, heldBytes, hostileScenes } from "../test/hostile-scene.js";
import {
	ACK,
	callHeaders,
	data,
	END_HEADERS,
	END_STREAM,
	Frame,
	frame,
	grpcMessage,
	HELLO,
	headerBlock,
	open,
	PING,
	PREFACE,
	type RawConnection,
	REPORT_MANY,
	reset,
	SETTINGS,
	uint32,
} from "../test/raw-connection.js";

const scenes = hostileScenes();
beforeEach(() => scenes.begin());
afterEach(() => scenes.end());

const NOTHING = Buffer.alloc(0);
const UNKNOWN_TYPE = 0x77;
const PADDED = 8;
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
/** More than a minute's talk, in frames of nine bytes. */
const AT_ONCE = 1_000;

/** Until the server has had enough. */
async function flood(connection: RawConnection, beginning: Uint8Array, frames: Uint8Array): Promise<void> {
	await connection.send(HELLO, beginning);
	while (!connection.socket.destroyed) {
		await connection.send(frames);
		// The server runs in this process, and needs its turn.
		await new Promise((resolve) => setImmediate(resolve));
	}
}

const times = (bytes: Uint8Array, count = AT_ONCE): Buffer =>
	Buffer.concat(Array.from({ length: count }, () => bytes));

describe("a connection that is flooded", () => {
	// By nghttp2, which Node is built on.
	it.each([
		["PING", NOTHING, PING],
		["answers to no PING", NOTHING, frame(Frame.PING, ACK, 0, Buffer.alloc(8))],
		["SETTINGS", NOTHING, SETTINGS],
		["RST_STREAM of calls that were never made", NOTHING, reset(1)],
		["empty DATA", open(1), data(1, NOTHING)],
		["empty DATA of a stream of reports", open(1, { ":path": REPORT_MANY }), data(1, NOTHING)],
		[
			"empty CONTINUATION",
			frame(Frame.HEADERS, 0, 1, headerBlock(callHeaders())),
			frame(Frame.CONTINUATION, 0, 1),
		],
	])("is cut off at once: by %s", async (_, beginning, frames) => {
		const scene = await scenes.start();
		await flood(await scene.raw({ remembers: false }), beginning, times(frames));
		await scene.expectUnharmed();
	});

	it("is cut off when it is looked at next, by whatever nghttp2 lets pass", async () => {
		const floods: readonly (readonly [beginning: Buffer, frames: Buffer])[] = [
			[NOTHING, frame(Frame.WINDOW_UPDATE, 0, 0, uint32(1))],
			[open(1), frame(Frame.WINDOW_UPDATE, 0, 1, uint32(1))],
			[NOTHING, frame(Frame.PRIORITY, 0, 1, Buffer.from([0, 0, 0, 0, 16]))],
			[NOTHING, frame(UNKNOWN_TYPE, 0, 0)],
			[open(1), frame(Frame.DATA, PADDED, 1, Buffer.alloc(256).fill(255, 0, 1))],
			[NOTHING, open(1, { ":path": "/nowhere" }, END_HEADERS | END_STREAM)],
		];
		const scene = await scenes.start();
		await Promise.all(
			floods.map(async ([beginning, frames]) =>
				flood(await scene.raw({ remembers: false }), beginning, times(frames, 250)),
			),
		);
		await scene.expectUnharmed();
	});

	it("is cut off by PING even when it is patient: 500 at a time, and each answer read", async () => {
		const scene = await scenes.start();
		const connection = await scene.raw();
		await connection.send(HELLO);
		let sent = 0;
		let answered = 0;
		connection.socket.on("frames", () => {
			answered = connection.frames().filter(({ type }) => type === Frame.PING).length;
		});
		while (!connection.socket.destroyed) {
			await connection.send(times(PING, 500));
			sent += 500;
			while (answered < sent && !connection.socket.destroyed) {
				// A connection that is cut may be reset: then it is closed as well.
				const more = once(connection.socket, "frames").catch(() => undefined);
				await Promise.race([more, connection.closed]);
			}
			await pause(20);
		}
		expect(scene.said()).toContain("one says more than its calls account for");
		await scene.expectUnharmed();
	});

	// Node reads no more from a session that has failed, so it hears neither what is sent on nor that the client has left.
	it("by SETTINGS of a thousand entries is deaf from then on, and closed as idle", async () => {
		const scene = await scenes.start({ connectionIdleMs: 200 });
		const connection = await scene.raw();
		const entries = times(Buffer.from([0, 3, 0, 0, 0, 9]));
		await connection.send(PREFACE, frame(Frame.SETTINGS, 0, 0, entries), open(1));
		await connection.until(({ type }) => type === Frame.GOAWAY);
		await connection.closed;
		await scene.expectUnharmed();
	});

	it("loses the calls that it has, and what they have stored stays", async () => {
		const scene = await scenes.start();
		const connection = await scene.raw({ remembers: false });
		await flood(connection, Buffer.concat([open(1), data(1, GOOD_MESSAGE, END_STREAM)]), times(PING));
		await scene.expectUnharmed(1);
	});
});

describe("a connection that says much, with reason", () => {
	it("stays: in a second more reports than it may talk in a minute, a PING every 50 ms, a call now and then", async () => {
		const scene = await scenes.start();
		const session = scene.session();
		const long = grpcMessage(
			Buffer.concat([Buffer.from([0x12, 0xff, 0xff, 0x07]), Buffer.alloc(131_071, "[")]),
		);
		const send = (stream: ClientHttp2Stream): void => void stream.end(long);
		const reports = await Promise.all(Array.from({ length: 40 }, () => call(session, { send })));
		expect(reports.map(({ status }) => status)).toEqual(reports.map(() => Code.OK));
		let answers = 0;
		for (const end = performance.now() + 2_000; performance.now() < end; ) {
			session.ping((error) => {
				if (error === null) answers += 1;
			});
			await pause(50);
			if (answers % 10 === 0) expect(await call(session)).toMatchObject({ status: Code.OK });
		}
		expect(session.destroyed).toBe(false);
		expect(answers).toBeGreaterThan(10);
		await scene.expectUnharmed(scene.reports.length);
	});
});

describe("reflection", () => {
	it("does not hold answers for a client that reads none", async () => {
		const scene = await scenes.start();
		const connection = await scene.raw({ remembers: false });
		await connection.send(
			HELLO,
			frame(Frame.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])),
			open(1, { ":path": REFLECTION }),
		);
		const symbol = Buffer.from("reelkeep.v1.RecordingService");
		const request = grpcMessage(Buffer.concat([Buffer.from([0x22, symbol.length]), symbol]));
		const requests = data(1, times(request, 400));
		const before = heldBytes();
		// A server that reads no more shuts its window instead: what is sent on waits in the kernel.
		for (let sent = 0; sent < 250 && !connection.socket.destroyed; sent += 1) {
			void connection.send(requests);
			await new Promise((resolve) => setImmediate(resolve));
		}
		const held = heldBytes() - before;
		connection.socket.destroy();
		await scene.expectUnharmed();
		expect(held).toBeLessThan(8 * 1024 * 1024);
	});

	it.each([
		["no protobuf", Buffer.from("ffffffff", "hex")],
		["nothing", NOTHING],
		["a name that every object has", Buffer.concat([Buffer.from([0x22, 9]), Buffer.from("__proto__")])],
		["a method that every object has", Buffer.concat([Buffer.from([0x1a, 11]), Buffer.from("constructor")])],
		[
			"an extension of what every object has",
			Buffer.concat([Buffer.from([0x2a, 11, 0x0a, 9]), Buffer.from("__proto__")]),
		],
	])("survives a request for %s", async (_, bytes) => {
		const scene = await scenes.start();
		const answer = await call(scene.session(), {
			path: REFLECTION,
			send: (stream) => stream.end(grpcMessage(bytes)),
		});
		expect(answer.status).toBeDefined();
		await scene.expectUnharmed();
	});
});

describe("more connections than there may be", () => {
	it("are closed unheard, the log is told, and one that ends makes room", async () => {
		const scene = await scenes.start({ maxConnections: 3 });
		const calling = [await scene.raw(), await scene.raw(), await scene.raw()];
		for (const connection of calling) {
			await connection.send(HELLO, open(1), PING);
			await connection.until(({ type }) => type === Frame.PING);
		}
		const fourth = await scene.raw();
		await fourth.send(HELLO, open(1), data(1, GOOD_MESSAGE, END_STREAM));
		await fourth.closed;
		expect(fourth.frames()).toEqual([]);
		expect(scene.said()).toContain("too many are open");
		calling[0]?.socket.destroy();
		await calling[0]?.closed;
		await scene.expectUnharmed();
	});

	it("do not come of those that have failed and left", async () => {
		const scene = await scenes.start({ maxConnections: 3 });
		for (let count = 0; count < 5; count += 1) {
			const connection = await scene.raw();
			await connection.send(HELLO, frame(Frame.PING, 0, 0, Buffer.alloc(7)));
			await Promise.race([connection.until(({ type }) => type === Frame.GOAWAY), connection.closed]).catch(
				() => {},
			);
			connection.socket.destroy();
			await connection.closed;
		}
		await scene.expectUnharmed();
	});

	it("by hundreds at once leave nothing behind", async () => {
		const scene = await scenes.start({ maxConnections: 50 });
		const connections = await Promise.all(Array.from({ length: 300 }, () => scene.raw()));
		for (const { socket } of connections) socket.resetAndDestroy();
		await Promise.all(connections.map(({ closed }) => closed));
		await scene.expectUnharmed();
	});
});

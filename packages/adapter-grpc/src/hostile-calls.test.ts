// Calls that are broken off, and calls that stand still.

import type { ClientHttp2Stream } from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import { status as Code } from "@grpc/grpc-js";
import { createMemoryEventStore } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import type { EventStore } from "@reelkeep/core/ports";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Failure, gatedReceive, raw, storeOf, testClient } from "../test/harness.js";
import {
	answerOf,
	call,
	GOOD_ITEM_MESSAGE,
	GOOD_MESSAGE,
	handedOver,
	hostileScenes,
	MARK,
	NO_EVENTS,
} from "../test/hostile-scene.js";
import {
	CANCEL,
	data,
	END_STREAM,
	Frame,
	frame,
	grpcMessage,
	HELLO,
	open,
	REPORT,
	REPORT_MANY,
	reset,
	SUBSCRIBE,
	uint32,
} from "../test/raw-connection.js";

const scenes = hostileScenes();
beforeEach(() => scenes.begin());
afterEach(() => scenes.end());

describe("a call that is broken off", () => {
	it("has its report, which is under way, stored all the same", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({}, receiving);
		const session = scene.session();
		const stream = session.request({
			":method": "POST",
			":path": REPORT,
			"content-type": "application/grpc",
		});
		const answer = answerOf(stream, () => stream.end(GOOD_MESSAGE));
		await handedOver(scene, 1);
		stream.close(CANCEL);
		expect(await answer).toMatchObject({ http: undefined });
		receiving.release();
		await vi.waitFor(() => expect(scene.said()).toContain("call answered"));
		expect(await call(session)).toMatchObject({ status: Code.OK });
		await scene.expectUnharmed(2);
	});

	it("by its connection, too", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({ limits: { maxInFlight: 1 } }, receiving);
		const connection = await scene.raw();
		await connection.send(HELLO, open(1), data(1, GOOD_MESSAGE, END_STREAM));
		await handedOver(scene, 1);
		connection.socket.resetAndDestroy();
		await connection.closed;
		receiving.release();
		// The good report would find no place if this one had kept its.
		await vi.waitFor(() => expect(scene.said()).toContain("call answered"));
		await scene.expectUnharmed(1);
	});

	it("by a deadline of a millisecond is DEADLINE_EXCEEDED to its client", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({}, receiving);
		const client = testClient(scene.address);
		const failure = client.report(raw("{}"), {}, { deadline: Date.now() + 1 });
		await expect(failure).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED } satisfies Partial<Failure>);
		client.close();
		receiving.release();
		await scene.expectUnharmed(scene.reports.length);
	});

	it("within a message reaches nobody", async () => {
		const scene = await scenes.start();
		const connection = await scene.raw();
		for (let stream = 1; stream < 100; stream += 2) {
			await connection.send(
				stream === 1 ? HELLO : Buffer.alloc(0),
				open(stream, stream % 4 === 1 ? { ":path": REPORT_MANY } : {}),
				data(stream, grpcMessage(Buffer.from(MARK), { length: 200 })),
				reset(stream),
			);
		}
		await scene.expectUnharmed();
	});

	it.each([
		["and that are no more than headers", 5_000, Buffer.alloc(0), 0],
		["with a report each: what was under way stays in its bounds", 3_000, GOOD_MESSAGE, 3_000],
	])("thousands of times ends its connection: calls %s", async (_, calls, message, atMost) => {
		const scene = await scenes.start({ limits: { maxInFlight: 16, maxInFlightPerConnection: 8 } });
		const connection = await scene.raw();
		const attack: Buffer[] = [];
		for (let stream = 1; stream < 2 * calls; stream += 2) {
			const request = message.length === 0 ? [] : [data(stream, message, END_STREAM)];
			attack.push(open(stream), ...request, reset(stream));
		}
		await connection.send(HELLO, ...attack);
		const goaway = await connection.until(({ type }) => type === Frame.GOAWAY);
		// The last stream that was looked at.
		expect(goaway.payload.readUInt32BE()).toBeLessThan(2 * calls - 1);
		expect(scene.reports.length).toBeLessThanOrEqual(atMost);
		await scene.expectUnharmed(scene.reports.length);
	});
});

describe("a call that stands still", () => {
	const limits = { requestTimeMs: 150, streamIdleMs: 150 };

	it.each([
		["before its request", REPORT, Buffer.alloc(0), 0],
		["within its request", REPORT, GOOD_MESSAGE.subarray(0, 7), 0],
		["between its request and its end", REPORT, GOOD_MESSAGE, 0],
		["before the first report of a stream", REPORT_MANY, Buffer.alloc(0), 0],
		["behind the first report of a stream", REPORT_MANY, GOOD_ITEM_MESSAGE, 1],
		[
			"within the second report of a stream",
			REPORT_MANY,
			Buffer.concat([GOOD_ITEM_MESSAGE, GOOD_ITEM_MESSAGE.subarray(0, 7)]),
			1,
		],
		["before its start of a subscription", SUBSCRIBE, Buffer.alloc(0), 0],
		["before it asks how healthy the server is", "/grpc.health.v1.Health/Check", Buffer.alloc(0), 0],
	])("ends in DEADLINE_EXCEEDED: %s", async (_, path, bytes, reports) => {
		const scene = await scenes.start({ limits, store: await storeOf(1) });
		const send = (stream: ClientHttp2Stream) => void stream.write(bytes);
		expect(await call(scene.session(), { path, send })).toMatchObject({ status: Code.DEADLINE_EXCEEDED });
		await scene.expectUnharmed(reports);
	});

	it("ends in DEADLINE_EXCEEDED: behind an answer of reflection", async () => {
		const scene = await scenes.start({ limits });
		const send = (stream: ClientHttp2Stream) => void stream.write(grpcMessage(Buffer.from([0x3a, 1, 0x2a])));
		const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
		expect(await call(scene.session(), { path, send })).toMatchObject({ status: Code.DEADLINE_EXCEEDED });
		await scene.expectUnharmed();
	});

	it("is given up for the sake of others of its connection, not of one that waits once", async () => {
		const scene = await scenes.start({ limits: { maxWaiting: 8 } });
		let relay: ClientHttp2Stream | undefined;
		const send = (stream: ClientHttp2Stream): void => {
			relay = stream;
			stream.write(GOOD_ITEM_MESSAGE);
		};
		const relayed = call(scene.session(), { path: REPORT_MANY, send });
		await handedOver(scene, 1);
		const greedy = await scene.raw();
		await greedy.send(HELLO, ...Array.from({ length: 20 }, (_, index) => open(1 + 2 * index)));
		await greedy.until(({ type }) => type === Frame.HEADERS);
		relay?.end();
		expect(await relayed).toMatchObject({ status: Code.OK });
		await scene.expectUnharmed(1);
	});

	// grpc-js alone leaves the stream half open: it would count as a call for ever, and the connection never be idle.
	it("does not keep its connection open once it was answered", async () => {
		const scene = await scenes.start({ limits, connectionIdleMs: 200 });
		const connection = await scene.raw();
		await connection.send(HELLO, open(1));
		await connection.until(({ type, stream }) => type === Frame.HEADERS && stream === 1);
		await expect(Promise.race([connection.closed.then(() => "closed"), pause(1_500)])).resolves.toBe(
			"closed",
		);
	});
});

describe("a subscriber that does not read", () => {
	/** A store of large events that counts those that were read. */
	async function countingStore(events: number): Promise<{ readonly store: EventStore; read(): number }> {
		const inner = createMemoryEventStore({ clock: systemClock });
		for (let index = 1; index <= events; index += 1) {
			const data = { text: "x".repeat(2_000) };
			const event = { id: `event-${index}`, type: "RecordingReported", schemaVersion: 1, data, metadata: {} };
			await inner.append(`recording-${index}`, [event], "no-stream");
		}
		let read = 0;
		const store: EventStore = {
			supports: inner.supports,
			append: (...append) => inner.append(...append),
			read: (...options) => inner.read(...options),
			async *readAll(options) {
				for await (const event of inner.readAll(options)) {
					read += 1;
					yield event;
				}
			},
			onAppended: (hint) => inner.onAppended(hint),
			close: () => inner.close(),
		};
		return { store, read: () => read };
	}

	/** Opens no window at all, neither of the connection nor of a stream. */
	const NO_WINDOW = frame(Frame.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));

	it.each([
		["whose window is shut", NO_WINDOW],
		[
			"whose socket is full",
			Buffer.concat([
				frame(Frame.SETTINGS, 0, 0, Buffer.from([0, 4, 0x7f, 255, 255, 255])),
				frame(Frame.WINDOW_UPDATE, 0, 0, uint32(0x7fff0000)),
			]),
		],
	])("has a bounded number of batches taken from the log: one %s", async (_, opening) => {
		const EVENTS = 20_000;
		const SUBSCRIPTIONS = 4;
		const { store, read } = await countingStore(EVENTS);
		const scene = await scenes.start({ store });
		const connection = await scene.raw({ remembers: false });
		connection.socket.pause();
		await connection.send(HELLO, opening);
		for (let index = 0; index < SUBSCRIPTIONS; index += 1) {
			const stream = 1 + 2 * index;
			await connection.send(open(stream, { ":path": SUBSCRIBE }), data(stream, NO_EVENTS, END_STREAM));
		}
		let seen = -1;
		while (seen !== read() || seen === 0) {
			seen = read();
			await pause(150);
		}
		// A batch has 128 of these events; two are under way, and one is being made. What the kernel buffers comes on top.
		const kernel = opening === NO_WINDOW ? 0 : EVENTS / 4;
		expect(read()).toBeLessThanOrEqual(SUBSCRIPTIONS * 3 * 132 + kernel);
		await scene.expectUnharmed();
	});
});

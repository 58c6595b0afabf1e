// Calls that are broken off, that stand still, and that are too many.

import { once } from "node:events";
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
	heldBytes,
	hostileScenes,
	MARK,
	type Scene,
} from "../test/hostile-scene.js";
import {
	ACK,
	data,
	END_STREAM,
	Frame,
	frame,
	grpcMessage,
	HELLO,
	open,
	REPORT,
	REPORT_MANY,
	type ReceivedFrame,
	reset,
	SUBSCRIBE,
	uint32,
} from "../test/raw-connection.js";

const scenes = hostileScenes();
beforeEach(() => scenes.begin());
afterEach(() => scenes.end());

const REFUSED_STREAM = 7;
const CANCEL = 8;
const NO_EVENTS = grpcMessage(Buffer.alloc(0));

/** Resolves when so many reports were handed over. */
const handedOver = ({ reports }: Scene, count: number) =>
	vi.waitFor(() => expect(reports).toHaveLength(count), { timeout: 4_000, interval: 2 });

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

const SEVEN_CALLS = [1, 3, 5, 7, 9, 11, 13].flatMap((stream) => [
	open(stream),
	data(stream, GOOD_MESSAGE, END_STREAM),
]);

describe("more than the limits allow", () => {
	it("of calls at once on a connection is refused, and the others are answered", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({ limits: { maxStreamsPerConnection: 4 } }, receiving);
		const connection = await scene.raw();
		await connection.send(HELLO, ...SEVEN_CALLS);
		await handedOver(scene, 4);
		const isRefused = ({ type, payload }: ReceivedFrame): boolean =>
			type === Frame.RST_STREAM && payload.readUInt32BE() === REFUSED_STREAM;
		await connection.until((one) => isRefused(one) && one.stream === 13);
		const refused = connection.frames().filter(isRefused);
		expect(refused.map(({ stream }) => stream)).toEqual([9, 11, 13]);
		receiving.release();
		await connection.until(({ type, stream }) => type === Frame.DATA && stream === 7);
		await scene.expectUnharmed(4);
	});

	it("of calls at once ends the connection of a client that has acknowledged the limit", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({ limits: { maxStreamsPerConnection: 4 } }, receiving);
		const connection = await scene.raw();
		await connection.send(HELLO, frame(Frame.SETTINGS, ACK, 0), ...SEVEN_CALLS);
		await connection.closed;
		receiving.release();
		await scene.expectUnharmed(4);
	});

	it("of reports at once is RESOURCE_EXHAUSTED with a delay, of a connection and of all", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({ limits: { maxInFlightPerConnection: 2, maxInFlight: 3 } }, receiving);
		const greedy = scene.session();
		const first = [call(greedy), call(greedy)];
		await handedOver(scene, 2);
		expect(await call(greedy)).toMatchObject({ status: Code.RESOURCE_EXHAUSTED });
		const third = call(scene.session());
		await handedOver(scene, 3);
		const client = testClient(scene.address);
		await expect(client.report(raw("{}"))).rejects.toMatchObject({
			code: Code.RESOURCE_EXHAUSTED,
			retryInfo: { retryDelay: { seconds: 1n } },
		});
		const { results } = await client.reportMany([raw("{}")]);
		expect(results[0]?.result).toMatchObject({ case: "error", value: { code: Code.RESOURCE_EXHAUSTED } });
		client.close();
		receiving.release();
		for (const one of [...first, third]) expect(await one).toMatchObject({ status: Code.OK });
		await scene.expectUnharmed(3);
	});

	it("of reports on a stream ends it, and what goes on coming is dropped", async () => {
		const scene = await scenes.start({ limits: { maxReportsPerStream: 3 } });
		const answer = await call(scene.session(), {
			path: REPORT_MANY,
			send: (stream) => stream.end(Buffer.concat(Array.from({ length: 500 }, () => GOOD_ITEM_MESSAGE))),
		});
		expect(answer).toMatchObject({ status: Code.RESOURCE_EXHAUSTED });
		await scene.expectUnharmed(3);
	});

	it("of subscriptions is RESOURCE_EXHAUSTED, until one is given up", async () => {
		const scene = await scenes.start({ store: await storeOf(1), limits: { maxSubscriptions: 2 } });
		const session = scene.session();
		const subscribe = () =>
			session.request({ ":method": "POST", ":path": SUBSCRIBE, "content-type": "application/grpc" });
		const opened = [subscribe(), subscribe()];
		for (const stream of opened) {
			stream.end(NO_EVENTS);
			await once(stream, "data");
		}
		const refused = {
			path: SUBSCRIBE,
			send: (stream: ClientHttp2Stream) => void stream.end(NO_EVENTS),
		};
		expect(await call(session, refused)).toMatchObject({ status: Code.RESOURCE_EXHAUSTED });
		opened[0]?.close(CANCEL);
		await vi.waitFor(() => expect(scene.said()).toContain("a subscription ended"));
		const again = subscribe();
		again.end(NO_EVENTS);
		await once(again, "data");
		await scene.expectUnharmed();
	});

	it("of ten streams at once is no reason for a warning", async () => {
		const warnings: Error[] = [];
		const collect = (warning: Error): void => void warnings.push(warning);
		process.on("warning", collect);
		const scene = await scenes.start();
		const session = scene.session();
		const streams = Array.from({ length: 20 }, () =>
			call(session, {
				path: REPORT_MANY,
				send: (stream) => void stream.write(GOOD_ITEM_MESSAGE, () => setImmediate(() => stream.end())),
			}),
		);
		await Promise.all(streams);
		await new Promise((resolve) => setImmediate(resolve));
		process.off("warning", collect);
		await scene.expectUnharmed(20);
		expect(warnings).toEqual([]);
	});

	// Kept, each unknown field is an object: 256 KiB of them would hold 20 MB.
	it("of fields than are known is not held while a report is stored", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({}, receiving);
		const session = scene.session();
		const unknown = Buffer.alloc(200_000, Buffer.from([15 * 8, 1]));
		const before = heldBytes();
		const bytes = grpcMessage(Buffer.concat([GOOD_MESSAGE.subarray(5), unknown]));
		const calls = Array.from({ length: 8 }, () => call(session, { send: (stream) => stream.end(bytes) }));
		await handedOver(scene, 8);
		const held = heldBytes() - before;
		receiving.release();
		await Promise.all(calls);
		await scene.expectUnharmed(8);
		expect(held).toBeLessThan(8 * 4 * 200_000);
	});
});

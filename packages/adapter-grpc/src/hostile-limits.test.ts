// More calls than the limits allow, of each kind.

import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { status as Code } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { gatedReceive, raw, storeOf, testClient } from "../test/harness.js";
import {
	call,
	GOOD_ITEM_MESSAGE,
	GOOD_MESSAGE,
	handedOver,
	heldBytes,
	hostileScenes,
	NO_EVENTS,
} from "../test/hostile-scene.js";
import {
	ACK,
	CANCEL,
	data,
	END_STREAM,
	Frame,
	frame,
	grpcMessage,
	HELLO,
	open,
	REPORT_MANY,
	type ReceivedFrame,
	SUBSCRIBE,
} from "../test/raw-connection.js";

const scenes = hostileScenes();
beforeEach(() => scenes.begin());
afterEach(() => scenes.end());

const REFUSED_STREAM = 7;

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

// `stop` while hostile and lazy clients hold on to whatever they can.

import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { status as Code } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Failure, gatedReceive, recordingReceive, storeOf, testClient } from "../test/harness.js";
import {
	call,
	GOOD_ITEM_MESSAGE,
	GOOD_MESSAGE,
	hostileScenes,
	NO_EVENTS,
	type Scene,
} from "../test/hostile-scene.js";
import {
	callHeaders,
	data,
	END_STREAM,
	Frame,
	frame,
	HELLO,
	headerBlock,
	open,
	PREFACE,
	REPORT,
	REPORT_MANY,
	SUBSCRIBE,
} from "../test/raw-connection.js";

const scenes = hostileScenes();
beforeEach(() => scenes.begin());
afterEach(() => scenes.end());

const STOP_TIME_MS = 150;
/** What a busy machine may need on top. */
const A_BIT_MS = 2_000;
const NO_WINDOW = frame(Frame.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));

/** Stops, and proves that it did in time and that nothing listens any more. */
async function expectStop({ ingress, address }: Scene): Promise<number> {
	const startedAt = performance.now();
	await ingress.stop();
	const tookMs = performance.now() - startedAt;
	expect(tookMs).toBeLessThan(STOP_TIME_MS + A_BIT_MS);
	const [host = "", port = ""] = address.split(":");
	const socket = connect({ host, port: Number(port) });
	await expect(once(socket, "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
	return tookMs;
}

describe("a stop", () => {
	it("ends subscriptions and open streams of reports in UNAVAILABLE", async () => {
		const scene = await scenes.start({ store: await storeOf(3), stopTimeMs: 4_000 });
		const client = testClient(scene.address);
		const subscription = client.subscribe({});
		await subscription.next();
		const unended = {
			path: REPORT_MANY,
			send: (stream: ClientHttp2Stream) => void stream.write(GOOD_ITEM_MESSAGE),
		};
		const streamed = call(scene.session(), unended);
		await vi.waitFor(() => expect(scene.reports).toHaveLength(1));
		const stopped = scene.ingress.stop();
		const unavailable = { code: Code.UNAVAILABLE } satisfies Partial<Failure>;
		await expect(subscription.next()).rejects.toMatchObject(unavailable);
		expect(await streamed).toMatchObject({ status: Code.UNAVAILABLE });
		await stopped;
		client.close();
	});

	it("answers what is in flight, and takes nothing new", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({ stopTimeMs: 5_000 }, receiving);
		const session = scene.session();
		const underWay = call(session);
		await vi.waitFor(() => expect(scene.reports).toHaveLength(1));
		const stopped = expectStop(scene);
		await once(session, "goaway");
		const late = call(session).catch(() => undefined);
		receiving.release();
		expect(await underWay).toMatchObject({ status: Code.OK });
		await stopped;
		expect((await late)?.status).toBeUndefined();
		expect(scene.reports).toHaveLength(1);
	});

	it("waits no longer than it may for a report that is never stored", async () => {
		const scene = await scenes.start(
			{ stopTimeMs: STOP_TIME_MS },
			recordingReceive(() => new Promise(() => {})),
		);
		const underWay = call(scene.session());
		await vi.waitFor(() => expect(scene.reports).toHaveLength(1));
		await expectStop(scene);
		expect(await underWay).toMatchObject({ http: undefined });
	});

	it("stops once, however often it is asked to", async () => {
		const scene = await scenes.start({ stopTimeMs: STOP_TIME_MS });
		await Promise.all([scene.ingress.stop(), scene.ingress.stop(), expectStop(scene)]);
	});

	it.each<[string, readonly Uint8Array[]]>([
		["says nothing", []],
		["stops within the preface", [PREFACE.subarray(0, 9)]],
		["says hello and ignores GOAWAY", [HELLO]],
		["stops within a header block", [HELLO, frame(Frame.HEADERS, 0, 1, headerBlock(callHeaders()))]],
		["stops within a request", [HELLO, open(1), data(1, GOOD_MESSAGE.subarray(0, 7))]],
		[
			"stops within a stream of reports",
			[HELLO, open(1, { ":path": REPORT_MANY }), data(1, GOOD_ITEM_MESSAGE)],
		],
		[
			"subscribes and reads nothing",
			[PREFACE, NO_WINDOW, open(1, { ":path": SUBSCRIBE }), data(1, NO_EVENTS, END_STREAM)],
		],
		[
			"reports and takes no answer",
			[PREFACE, NO_WINDOW, open(1, { ":path": REPORT }), data(1, GOOD_MESSAGE, END_STREAM)],
		],
		["has been sent away", [PREFACE, frame(Frame.SETTINGS, 0, 0, Buffer.alloc(6_000))]],
	])("cuts off who %s", async (_, bytes) => {
		const scene = await scenes.start({ stopTimeMs: STOP_TIME_MS, store: await storeOf(3) });
		const connection = await scene.raw();
		connection.socket.pause();
		await connection.send(...bytes);
		// A call on another connection: what came before it was looked at.
		expect(await call(scene.session())).toMatchObject({ status: Code.OK });
		await expectStop(scene);
		connection.socket.resume();
		await connection.closed;
	});

	it("cuts off who goes on and on calling", async () => {
		const scene = await scenes.start({ stopTimeMs: STOP_TIME_MS });
		const connection = await scene.raw({ remembers: false });
		let stream = 1;
		await connection.send(HELLO);
		const calling = (async () => {
			for (; !connection.socket.destroyed; stream += 2) {
				await connection.send(open(stream), data(stream, GOOD_MESSAGE, END_STREAM));
				await pause(1);
			}
		})();
		await vi.waitFor(() => expect(scene.reports.length).toBeGreaterThan(5));
		await expectStop(scene);
		await calling;
	});
});

import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { status as Code } from "@grpc/grpc-js";
import { type EventStore, type RecordedEvent, toPosition } from "@reelkeep/core/ports";
import { afterEach, describe, expect, it } from "vitest";
import { appendTo, ingressStarter, storeOf } from "../test/harness.js";
import { createTokenVerifier } from "./tokens.js";
import type { SubscribeEventsResponse } from "./v1.js";

const servers = ingressStarter();
afterEach(() => servers.stop());

async function subscriber(store: EventStore, options: Parameters<typeof servers.start>[0] = {}) {
	const { ingress, address } = await servers.start({ store, ...options });
	return { ingress, client: servers.client(address) };
}

/** Batches until `isLast`, then leaves. */
async function collect(
	batches: AsyncIterable<SubscribeEventsResponse>,
	isLast: (batch: SubscribeEventsResponse) => boolean,
): Promise<readonly SubscribeEventsResponse[]> {
	const seen: SubscribeEventsResponse[] = [];
	for await (const batch of batches) {
		seen.push(batch);
		if (isLast(batch)) break;
	}
	return seen;
}

const isCaughtUp = ({ caughtUp }: SubscribeEventsResponse): boolean => caughtUp;
const idsOf = (batches: readonly SubscribeEventsResponse[]): readonly string[] =>
	batches.flatMap(({ events }) => events.map(({ id }) => id));
const numbered = (from: number, to: number): readonly string[] =>
	Array.from({ length: to - from + 1 }, (_, index) => `event-${from + index}`);

describe("a subscription", () => {
	it("gets what is there from the beginning, in batches of at most 256, then what comes", async () => {
		const store = await storeOf(600);
		const { client } = await subscriber(store);
		let appended = false;
		const batches = await collect(client.subscribe({}), (batch) => {
			if (batch.caughtUp && !appended) {
				appended = true;
				void appendTo(store, 601);
				return false;
			}
			return appended && batch.events.length > 0;
		});
		expect(batches.map(({ events }) => events.length)).toEqual([256, 256, 88, 1]);
		expect(batches.map(({ caughtUp }) => caughtUp)).toEqual([false, false, true, true]);
		expect(idsOf(batches)).toEqual(numbered(1, 601));
	});

	it("is told at once that everything is out, also when the last batch was full", async () => {
		const { client } = await subscriber(await storeOf(4));
		const batches = await collect(client.subscribe({ maxBatchEvents: 2 }), isCaughtUp);
		expect(batches.map(({ events, caughtUp }) => [events.length, caughtUp])).toEqual([
			[2, false],
			[2, false],
			[0, true],
		]);
	});

	it("says of an event all that the log says", async () => {
		const store = await storeOf(1);
		const recorded: RecordedEvent[] = [];
		for await (const event of store.readAll()) recorded.push(event);
		const { client } = await subscriber(store);
		const [batch] = await collect(client.subscribe({}), isCaughtUp);
		const event = batch?.events[0];
		if (event === undefined) throw new Error("there is no event");
		const { dataJson, metadataJson, version, recordedAt, $typeName: _, ...same } = event;
		const read: RecordedEvent = {
			...same,
			position: toPosition(same.position),
			version: Number(version),
			recordedAt: Number(recordedAt),
			data: JSON.parse(dataJson),
			metadata: JSON.parse(metadataJson),
		};
		expect([read]).toEqual(recorded);
	});

	it("goes on behind the position that it is given, whatever the size of its batches", async () => {
		const { client } = await subscriber(await storeOf(50));
		let seen: readonly string[] = [];
		let position = "";
		for (const maxBatchEvents of [7, 1, 20, 1024]) {
			const start = { case: "afterPosition" as const, value: position };
			const batches = await collect(client.subscribe({ start, maxBatchEvents }), () => true);
			position = batches.at(-1)?.position ?? "";
			seen = [...seen, ...idsOf(batches)];
		}
		expect(seen).toEqual(numbered(1, 50));
	});

	it("begins with what is recorded from now on when it asks for that", async () => {
		const store = await storeOf(10);
		const { client } = await subscriber(store);
		const batches = await collect(
			client.subscribe({ start: { case: "fromEnd", value: true } }),
			({ events, caughtUp }) => {
				if (caughtUp && events.length === 0) void appendTo(store, 11);
				return events.length > 0;
			},
		);
		expect(idsOf(batches)).toEqual(["event-11"]);
		expect(batches[0]).toMatchObject({ caughtUp: true, events: [] });
	});

	it("hears of an empty log at once, and gets a heartbeat a second when it wants one", async () => {
		const { client } = await subscriber(await storeOf(0));
		let beats = 0;
		const heartbeatInterval = { seconds: 1n };
		const batches = await collect(client.subscribe({ heartbeatInterval }), () => ++beats === 3);
		expect(batches).toMatchObject(
			Array.from({ length: 3 }, () => ({ events: [], position: "", caughtUp: true })),
		);
	});

	it.each([
		["a position that is none", { start: { case: "afterPosition", value: "1e3" } }, "after_position"],
		["too large a batch", { maxBatchEvents: 1025 }, "max_batch_events"],
		["too fast a heartbeat", { heartbeatInterval: { nanos: 999_000_000 } }, "heartbeat_interval"],
		["too slow a heartbeat", { heartbeatInterval: { seconds: 301n } }, "heartbeat_interval"],
	] as const)("is refused for %s", async (_, request, field) => {
		const { client } = await subscriber(await storeOf(1));
		await expect(collect(client.subscribe(request), () => true)).rejects.toMatchObject({
			code: Code.INVALID_ARGUMENT,
			badRequest: { fieldViolations: [{ field }] },
		});
	});

	it("is told when its position lies behind the end of the log: it would wait for nothing", async () => {
		const { client } = await subscriber(await storeOf(3));
		const start = { case: "afterPosition" as const, value: "4" };
		await expect(collect(client.subscribe({ start }), () => true)).rejects.toMatchObject({
			code: Code.OUT_OF_RANGE,
		});
	});

	it("is UNIMPLEMENTED where there is no log", async () => {
		const { address } = await servers.start();
		const batches = servers.client(address).subscribe({});
		await expect(collect(batches, () => true)).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
	});

	it("ends in UNAVAILABLE when the server stops, and goes on elsewhere without a gap", async () => {
		const store = await storeOf(5);
		const { client, ingress } = await subscriber(store);
		let position = "";
		const watching = collect(client.subscribe({}), (batch) => {
			({ position } = batch);
			return false;
		});
		await expect.poll(() => position).toBe("5");
		await Promise.all([
			expect(watching).rejects.toMatchObject({ code: Code.UNAVAILABLE, retryInfo: expect.anything() }),
			ingress.stop(),
		]);
		await appendTo(store, 6);
		const next = await subscriber(store);
		const start = { case: "afterPosition" as const, value: position };
		expect(idsOf(await collect(next.client.subscribe({ start }), isCaughtUp))).toEqual(["event-6"]);
	});

	it("stops reading the log when its subscriber has gone", async () => {
		const store = await storeOf(1);
		let hints = 0;
		const counted: EventStore = {
			...store,
			onAppended: (hint) => {
				hints += 1;
				const off = store.onAppended(hint);
				return () => {
					hints -= 1;
					off();
				};
			},
		};
		const { client } = await subscriber(counted);
		await collect(client.subscribe({}), isCaughtUp);
		await expect.poll(() => hints).toBe(0);
	});

	it("holds no more after thousands of responses than after a few", { timeout: 30_000 }, async () => {
		setFlagsFromString("--expose-gc");
		const collectGarbage = runInNewContext("gc") as () => void;
		const RESPONSES = 10_000;
		const { client } = await subscriber(await storeOf(RESPONSES));
		let seen = 0;
		let before = 0;
		for await (const _ of client.subscribe({ maxBatchEvents: 1 })) {
			seen += 1;
			if (seen === RESPONSES / 10 || seen === RESPONSES) collectGarbage();
			if (seen === RESPONSES / 10) before = process.memoryUsage().heapUsed;
			if (seen === RESPONSES) break;
		}
		const held = process.memoryUsage().heapUsed - before;
		// 300 bytes of each response would be 2.7 MB.
		expect(held).toBeLessThan(1_500_000);
	});

	it("reads no faster than its subscriber", async () => {
		const store = await storeOf(0);
		const text = "x".repeat(100_000);
		for (let index = 1; index <= 300; index += 1) {
			const event = { id: `event-${index}`, type: "Large", schemaVersion: 1, data: { text }, metadata: {} };
			await store.append(`recording-${index}`, [event], "no-stream");
		}
		let read = 0;
		const counted: EventStore = {
			...store,
			async *readAll(options) {
				for await (const event of store.readAll(options)) {
					read += 1;
					yield event;
				}
			},
		};
		const { client } = await subscriber(counted);
		const batches = client.subscribe({});
		await batches.next();
		await pause(200);
		// 30 MB are there; what was read are a few batches of 256 KiB, and what the sockets hold.
		expect(read).toBeLessThan(150);
		let seen = 0;
		for await (const { events } of batches) {
			seen += events.length;
			if (events.at(-1)?.id === "event-300") break;
		}
		expect(seen).toBeGreaterThan(290);
	});
});

describe("who subscribes", () => {
	const callers = createTokenVerifier({
		relay: "relay-token-0123456789abcdef",
		billing: "billing-token-0123456789abcdef",
	});
	const bearer = (name: string) => ({ authorization: `Bearer ${name}-token-0123456789abcdef` });

	it("is named as a subscriber, and may not report", async () => {
		const { client } = await subscriber(await storeOf(1), { callers, subscribers: ["billing"] });
		expect(await collect(client.subscribe({}, bearer("billing")), isCaughtUp)).toHaveLength(1);
		const report = { report: { case: "requestParam" as const, value: Buffer.from("{}") } };
		await expect(client.report(report, bearer("billing"))).rejects.toMatchObject({
			code: Code.PERMISSION_DENIED,
		});
		await expect(collect(client.subscribe({}, bearer("relay")), () => true)).rejects.toMatchObject({
			code: Code.PERMISSION_DENIED,
		});
		await expect(collect(client.subscribe({}), () => true)).rejects.toMatchObject({
			code: Code.UNAUTHENTICATED,
		});
	});

	it("is nobody where only reports are proved: the log is that of all apps", async () => {
		const verifier = {
			verify: async () => ({ _tag: "Authentic", appKey: "1", receipt: { scheme: "x" } }) as const,
		};
		const { client } = await subscriber(await storeOf(1), { verifier });
		await expect(collect(client.subscribe({}), () => true)).rejects.toMatchObject({
			code: Code.UNAUTHENTICATED,
		});
	});
});

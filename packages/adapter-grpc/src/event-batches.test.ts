import { createMemoryEventStore } from "@reelkeep/core";
import { type EventStore, type Position, storeFault, toPosition } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { createFakeClock } from "@reelkeep/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EventBatch, eventBatches } from "./event-batches.js";

const HEARTBEAT_MS = 10_000;

interface Options {
	readonly after?: Position;
	readonly maxEvents?: number;
	/** Replaces members of the store. */
	readonly flaws?: (store: EventStore) => Partial<EventStore>;
}

/** A log that grows by hand, on a clock that stands still, and what a subscriber of it has got so far. */
function given({ after, maxEvents = 256, flaws = () => ({}) }: Options = {}) {
	const clock = createFakeClock();
	const memory = createMemoryEventStore({ clock });
	const store = { ...memory, ...flaws(memory) };
	const ending = new AbortController();
	const got: EventBatch[] = [];
	let serial = 0;
	return {
		clock,
		memory,
		got,
		ending,
		async append(count: number, text = "") {
			for (let index = 0; index < count; index += 1) {
				serial += 1;
				const event = { id: `e${serial}`, type: "Noted", schemaVersion: 1, data: { text }, metadata: {} };
				await memory.append(`stream-${serial}`, [event], "no-stream");
			}
		},
		/** Resolves when the batches have ended. */
		async follow(): Promise<void> {
			const deps = { store, clock, logger: transcribingLogger() };
			const options = { after, maxEvents, heartbeatMs: HEARTBEAT_MS, signal: ending.signal };
			for await (const batch of eventBatches(deps, options)) got.push(batch);
		},
		sizes: () => got.map(({ events }) => events.length),
		ids: () => got.flatMap(({ events }) => events.map(({ id }) => id)),
	};
}

const numbered = (count: number, from = 1): readonly string[] =>
	Array.from({ length: count }, (_, index) => `e${from + index}`);

describe("eventBatches", () => {
	it("sends a batch when it has so many events, and the rest once there are no more", async () => {
		const log = given({ maxEvents: 2 });
		await log.append(5);
		void log.follow();
		await log.clock.advance(0);
		expect(log.got.map(({ position, caughtUp }) => [position, caughtUp])).toEqual([
			["2", false],
			["4", false],
			["5", true],
		]);
		expect(log.ids()).toEqual(numbered(5));
		log.ending.abort();
	});

	it("sends a batch when it is large, however few its events are", async () => {
		const log = given();
		await log.append(7, "x".repeat(100_000));
		void log.follow();
		await log.clock.advance(0);
		expect(log.sizes()).toEqual([3, 3, 1]);
		expect(log.ids()).toEqual(numbered(7));
		log.ending.abort();
	});

	it("sends one event that is larger than a batch alone", async () => {
		const log = given();
		await log.append(2, "x".repeat(300_000));
		void log.follow();
		await log.clock.advance(0);
		expect(log.sizes().slice(0, 2)).toEqual([1, 1]);
		log.ending.abort();
	});

	it("sends what comes later at once, without a tick of the clock", async () => {
		const log = given();
		await log.append(1);
		void log.follow();
		await log.clock.advance(0);
		for (let times = 0; times < 3; times += 1) {
			await log.append(1);
			await log.clock.advance(0);
		}
		expect(log.sizes()).toEqual([1, 1, 1, 1]);
		expect(log.got.every(({ caughtUp }) => caughtUp)).toBe(true);
		log.ending.abort();
	});

	it("begins behind a position", async () => {
		const log = given({ after: toPosition(3) });
		await log.append(5);
		void log.follow();
		await log.clock.advance(0);
		expect(log.ids()).toEqual(["e4", "e5"]);
		log.ending.abort();
	});

	it("says of an event what the log says, numbers and JSON included", async () => {
		const log = given();
		const event = {
			id: "a",
			type: "Noted",
			schemaVersion: 2,
			data: { 云: [1, null] },
			metadata: { appKey: "1" },
		};
		await log.memory.append("stream-a", [event, { ...event, id: "b" }], "no-stream");
		void log.follow();
		await log.clock.advance(0);
		const [, second] = log.got[0]?.events ?? [];
		expect({
			...second,
			dataJson: Buffer.from(second?.dataJson ?? []).toString(),
			metadataJson: Buffer.from(second?.metadataJson ?? []).toString(),
		}).toEqual({
			id: "b",
			type: "Noted",
			schemaVersion: 2,
			stream: "stream-a",
			version: 2,
			position: "2",
			recordedAt: log.clock.now(),
			dataJson: '{"云":[1,null]}',
			metadataJson: '{"appKey":"1"}',
		});
		log.ending.abort();
	});

	it("says at once that all is out behind a full batch", async () => {
		const log = given({ maxEvents: 2 });
		await log.append(4);
		void log.follow();
		await log.clock.advance(1_000);
		log.ending.abort();
		expect(log.got.at(-1)).toMatchObject({ position: "4", caughtUp: true });
	});
});

describe("heartbeats", () => {
	it("say at once that the log is empty, then how things stand, as often as they are asked for", async () => {
		const log = given();
		void log.follow();
		await log.clock.advance(0);
		expect(log.got).toEqual([{ events: [], position: "", caughtUp: true }]);
		await log.clock.advance(HEARTBEAT_MS - 1);
		expect(log.got).toHaveLength(1);
		await log.clock.advance(1);
		expect(log.got).toHaveLength(2);
		await log.clock.advance(3 * HEARTBEAT_MS);
		expect(log.got.slice(1)).toEqual(Array(4).fill({ events: [], position: "", caughtUp: true }));
		log.ending.abort();
	});

	it("repeat the position from which the subscription goes on", async () => {
		const log = given({ after: toPosition(2) });
		await log.append(2);
		void log.follow();
		await log.clock.advance(HEARTBEAT_MS);
		expect(log.got.map(({ position }) => position)).toEqual(["2", "2"]);
		await log.append(1);
		await log.clock.advance(HEARTBEAT_MS);
		expect(log.got.map(({ position }) => position)).toEqual(["2", "2", "3", "3"]);
		log.ending.abort();
	});

	it("wait from the last batch on, whatever was in it", async () => {
		const log = given();
		void log.follow();
		await log.clock.advance(HEARTBEAT_MS / 2);
		await log.append(1);
		await log.clock.advance(HEARTBEAT_MS - 1);
		expect(log.sizes()).toEqual([0, 1]);
		await log.clock.advance(500);
		expect(log.sizes()).toEqual([0, 1, 0]);
		log.ending.abort();
	});
});

describe("the end", () => {
	it("comes when it is asked for, with nobody left asleep", async () => {
		const log = given();
		await log.append(1);
		const following = log.follow();
		await log.clock.advance(0);
		log.ending.abort();
		await following;
		expect(log.clock.sleepers).toBe(0);
		await log.append(1);
		expect(log.ids()).toEqual(["e1"]);
	});

	it("comes before anything where it was asked for before", async () => {
		const log = given();
		await log.append(1);
		log.ending.abort();
		await log.follow();
		expect(log.got).toEqual([]);
	});

	it("comes when the store is closed", async () => {
		const log = given();
		const following = log.follow();
		await log.clock.advance(0);
		await log.memory.close();
		await Promise.all([following, log.clock.advance(500)]);
		expect(log.got).toHaveLength(1);
	});

	it("comes with the fault that does not pass", async () => {
		const fault = storeFault("corrupt", "segment 3 does not make sense");
		const readAll = (): never => {
			throw fault;
		};
		const log = given({ flaws: () => ({ readAll }) });
		await expect(log.follow()).rejects.toBe(fault);
	});
});

describe("a store that fails for a while", () => {
	it("loses no event and doubles none, wherever and how often it fails", async () => {
		const failures = fc.array(fc.nat({ max: 7 }), { maxLength: 6 });
		await fc.assert(
			fc.asyncProperty(failures, fc.integer({ min: 1, max: 5 }), async (afterSoMany, maxEvents) => {
				const left = [...afterSoMany];
				const log = given({
					maxEvents,
					flaws: (store) => ({
						async *readAll(options) {
							let count = left.shift() ?? Number.POSITIVE_INFINITY;
							for await (const event of store.readAll(options)) {
								if (count-- === 0) throw storeFault("io", "the disk is away");
								yield event;
							}
							if (count < Number.POSITIVE_INFINITY) throw storeFault("overloaded", "too many readers");
						},
					}),
				});
				await log.append(12);
				void log.follow();
				await log.clock.advance(afterSoMany.length * 1_000);
				await log.append(3);
				await log.clock.advance(1_000);
				log.ending.abort();
				expect(log.ids()).toEqual(numbered(15));
				expect(log.got.at(-1)?.position).toBe("15");
				expect(log.sizes().every((size) => size <= maxEvents)).toBe(true);
			}),
			{ numRuns: 50 },
		);
	});
});

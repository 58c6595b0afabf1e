// The clauses of `EventStore` about what is left after a kill, for harnesses that can do it.

import type { AppendResult, EventStore, RecordedEvent } from "../ports/event-store.js";
import { comparePositions } from "../ports/position.js";
import { assert, assertSame } from "./case.js";
import type { EventStoreHarness } from "./event-store.js";
import { collect, fill, idsOf, newEvent } from "./sample-events.js";

const killed = new WeakSet<EventStoreHarness>();

/** Whether what the harness opened at first is gone: with a real process, its close would fail or never end. */
export const wasKilled = (harness: EventStoreHarness): boolean => killed.has(harness);

export async function survivesKills(store: EventStore, harness: EventStoreHarness): Promise<void> {
	await store.append("stream-a", [newEvent(), newEvent("游戏")], "no-stream");
	await fill(store, "stream-b", 3);
	let log = await collect(store.readAll());
	for (const expected of [2, 3]) {
		log = await afterKill(harness, async (later) => {
			assertSame(await collect(later.readAll()), log, "the log after a kill");
			const stale = await later.append("stream-b", [newEvent()], "no-stream");
			assertSame(stale, { _tag: "WrongExpectedVersion", actualVersion: 3 }, "a stream that was there before");
			const next = await later.append("stream-a", [newEvent()], expected);
			assert(next._tag === "Appended", "a stream goes on after a kill");
			assert(
				comparePositions(next.position, log.at(-1)?.position ?? next.position) > 0,
				"positions go on behind the old ones",
			);
			return collect(later.readAll());
		});
	}
}

const BATCHES = 12;
const BATCH_EVENTS = 5;

export async function keepsWholeBatchesThroughKills(
	store: EventStore,
	harness: EventStoreHarness,
): Promise<void> {
	await fill(store, "stream-a", 2);
	const answers: (AppendResult | undefined)[] = [];
	// Each large enough that it is not written at a stroke.
	const batches = Array.from({ length: BATCHES }, () =>
		Array.from({ length: BATCH_EVENTS }, () => newEvent("x".repeat(20_000))),
	);
	for (const [index, batch] of batches.entries()) {
		void store.append(`stream-${index}`, batch, "no-stream").then(
			(answer) => {
				answers[index] = answer;
			},
			() => undefined,
		);
	}
	await afterKill(harness, async (later) => {
		for (const [index, batch] of batches.entries()) {
			const kept = await collect(later.read(`stream-${index}`));
			const isWhole = kept.length === batch.length;
			assert(
				isWhole || kept.length === 0,
				`a kill left ${kept.length} of the ${batch.length} events of an append: all must be there, or none`,
			);
			if (isWhole)
				assertSame(idsOf(kept), idsOf(batch), "the events of an append that was under way at a kill");
			assert(isWhole || answers[index] === undefined, "an append that was answered is gone after a kill");
			const again = await later.append(`stream-${index}`, [newEvent()], kept.length || "no-stream");
			assert(again._tag === "Appended", "the next append finds the version that is read");
		}
		const log = await collect(later.readAll());
		assert(log.length >= 2 + BATCHES, "the log goes on after a kill");
		return log;
	});
}

async function afterKill(
	harness: EventStoreHarness,
	use: (store: EventStore) => Promise<readonly RecordedEvent[]>,
): Promise<readonly RecordedEvent[]> {
	killed.add(harness);
	const store = await harness.crash?.();
	assert(store !== undefined, "the harness opens the store again");
	return use(store);
}

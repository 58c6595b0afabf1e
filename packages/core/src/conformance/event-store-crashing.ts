// The clauses of `EventStore` about what is left after a kill, for harnesses that can do it.

import type { EventStore } from "../ports/event-store.js";
import { comparePositions } from "../ports/position.js";
import { assert, assertSame } from "./case.js";
import type { EventStoreHarness } from "./event-store.js";
import { collect, fill, newEvent } from "./sample-events.js";

const killed = new WeakSet<EventStoreHarness>();

/** Whether what the harness opened at first is gone: with a real process, its close would fail or never end. */
export const wasKilled = (harness: EventStoreHarness): boolean => killed.has(harness);

/** Kills the process that has the store open, and opens what it left. */
export async function kill(harness: EventStoreHarness): Promise<EventStore> {
	killed.add(harness);
	const store = await harness.crash?.();
	assert(store !== undefined, "the harness opens the store again");
	return store;
}

export async function survivesKills(store: EventStore, harness: EventStoreHarness): Promise<void> {
	await store.append("stream-a", [newEvent(), newEvent("游戏")], "no-stream");
	await fill(store, "stream-b", 3);
	let log = await collect(store.readAll());
	for (const expected of [2, 3]) {
		const later = await kill(harness);
		assertSame(await collect(later.readAll()), log, "the log after a kill");
		const stale = await later.append("stream-b", [newEvent()], "no-stream");
		assertSame(stale, { _tag: "WrongExpectedVersion", actualVersion: 3 }, "a stream that was there before");
		const next = await later.append("stream-a", [newEvent()], expected);
		assert(next._tag === "Appended", "a stream goes on after a kill");
		assert(
			comparePositions(next.position, log.at(-1)?.position ?? next.position) > 0,
			"positions go on behind the old ones",
		);
		log = await collect(later.readAll());
	}
}

// The clauses of `EventStore` about what is left after a close, for stores that support persistence.

import type { EventStore, RecordedEvent } from "../ports/event-store.js";
import { comparePositions } from "../ports/position.js";
import { assert, assertSame } from "./case.js";
import type { EventStoreHarness } from "./event-store.js";
import { appendInOneTick } from "./event-store-races.js";
import { appendToEach, findStreams, refuseCreations } from "./event-store-streams.js";
import { collect, fill, idsOf, newEvent, newEvents } from "./sample-events.js";
import { SIMILAR_NAMES } from "./sample-names.js";

export async function persists(store: EventStore, harness: EventStoreHarness): Promise<void> {
	await store.append("stream-a", [newEvent(), newEvent("游戏")], "no-stream");
	await fill(store, "stream-b", 3);
	const before = await collect(store.readAll());
	await store.close();
	await reopen(harness, async (reopened) => {
		assertSame(await collect(reopened.readAll()), before, "the log after it was opened again");
		const again = await reopened.append("stream-a", [newEvent()], "no-stream");
		assertSame(again, { _tag: "WrongExpectedVersion", actualVersion: 2 }, "a stream that was there before");
		const next = await reopened.append("stream-a", [newEvent()], 2);
		const last = before.at(-1)?.position;
		assert(next._tag === "Appended" && last !== undefined, "the stream goes on");
		assert(comparePositions(next.position, last) > 0, "positions go on behind the old ones");
	});
}

async function reopen(harness: EventStoreHarness, use: (store: EventStore) => Promise<void>): Promise<void> {
	const store = await harness.open();
	try {
		await use(store);
	} finally {
		await store.close();
	}
}

/** Sessions, and how many appends each makes: the first and a later one make none. */
const SESSIONS = [0, 2, 1, 0, 2];

export async function goesOnAfterEveryReopening(
	store: EventStore,
	harness: EventStoreHarness,
): Promise<void> {
	await store.close();
	let log: readonly RecordedEvent[] = [];
	for (const appends of SESSIONS) {
		await reopen(harness, async (reopened) => {
			assertSame(await collect(reopened.readAll()), log, "the log after it was opened again");
			for (let turn = 0; turn < appends; turn += 1) {
				log = [...log, ...(await extendStreams(reopened, log))];
			}
			await readAcross(reopened, log);
		});
	}
	await reopen(harness, (reopened) => readAcross(reopened, log));
}

/** Appends to a stream of old and to a new one; resolves with the events, as they are read. */
async function extendStreams(
	store: EventStore,
	log: readonly RecordedEvent[],
): Promise<readonly RecordedEvent[]> {
	const version = log.filter(({ stream }) => stream === "stream-a").length;
	const last = log.at(-1)?.position;
	for (const [stream, expected, note] of [
		["stream-a", version, "x".repeat(30_000)],
		[`stream-${log.length}`, 0, "x"],
	] as const) {
		const result = await store.append(stream, [newEvent(note), newEvent()], expected);
		assert(result._tag === "Appended", `${stream} goes on`);
		assert(
			last === undefined || comparePositions(result.position, last) > 0,
			"positions go on behind the old ones",
		);
	}
	const added = await collect(store.readAll(last === undefined ? {} : { after: last }));
	assertSame(added.length, 4, "events behind the old ones");
	return added;
}

/** Reads from before, at and behind every event, so over the end of every session, both ways. */
async function readAcross(store: EventStore, log: readonly RecordedEvent[]): Promise<void> {
	assertSame(await collect(store.readAll()), log, "the log");
	assertSame(await collect(store.readAll({ direction: "backward" })), [...log].reverse(), "the log backward");
	for (const [index, { position }] of log.entries()) {
		const behind = idsOf(await collect(store.readAll({ after: position })));
		assertSame(behind, idsOf(log.slice(index + 1)), `the log behind event ${index + 1}`);
		const before = idsOf(await collect(store.readAll({ after: position, direction: "backward" })));
		assertSame(before, [...idsOf(log.slice(0, index))].reverse(), `the log before event ${index + 1}`);
	}
	const events = log.filter(({ stream }) => stream === "stream-a");
	for (const { version } of events) {
		const behind = await collect(store.read("stream-a", { after: version }));
		assertSame(idsOf(behind), idsOf(events.slice(version)), `the stream behind version ${version}`);
		const before = await collect(store.read("stream-a", { after: version, direction: "backward" }));
		assertSame(
			idsOf(before),
			[...idsOf(events.slice(0, version - 1))].reverse(),
			`the stream before version ${version}`,
		);
	}
}

export async function findsStreamsAgain(store: EventStore, harness: EventStoreHarness): Promise<void> {
	const early = SIMILAR_NAMES.filter((_, index) => index % 2 === 0);
	const late = SIMILAR_NAMES.filter((_, index) => index % 2 === 1);
	await appendToEach(store, early, 0);
	await store.close();
	await reopen(harness, async (reopened) => {
		await appendToEach(reopened, late, 0);
		await refuseCreations(reopened, early, 1);
	});
	await reopen(harness, (reopened) => appendToEach(reopened, SIMILAR_NAMES, 1));
	await reopen(harness, (reopened) => findStreams(reopened, SIMILAR_NAMES, 2));
}

export async function decidesInCallOrderAgain(store: EventStore, harness: EventStoreHarness): Promise<void> {
	await fill(store, "stream-a", 2);
	await fill(store, "stream-b", 1);
	await store.close();
	await reopen(harness, async (reopened) => {
		// No stream was touched since the store was opened, and none waits for another.
		await Promise.all([
			appendInOneTick(reopened, "stream-a", 2),
			appendInOneTick(reopened, "stream-b", 1),
			appendInOneTick(reopened, "stream-c", 0),
		]);
	});
	await reopen(harness, async (reopened) => {
		const appending = reopened.append("stream-a", newEvents(1), 9);
		const [result] = await Promise.all([appending, reopened.close()]);
		assert(result._tag === "Appended", "an append under way is finished, also when its stream is old");
	});
	await reopen(harness, async (reopened) => {
		assertSame((await collect(reopened.read("stream-a"))).length, 10, "events of the stream");
	});
}

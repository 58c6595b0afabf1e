// The clauses of `EventImporter` about what is taken over: it is as it was.

import type { Position, RecordedEvent } from "../ports/event-store.js";
import { assert, assertSame } from "./case.js";
import type { EventImportHarness, ImportingStore } from "./event-import.js";
import { kept, positionsOf, recordedElsewhere } from "./event-import-samples.js";
import { turns } from "./kill-moments.js";
import { collect, newEvent } from "./sample-events.js";

/** Imports all of them behind `after`; resolves with where they are. */
export async function imported(
	store: ImportingStore,
	events: readonly RecordedEvent[],
	after?: Position,
): Promise<readonly Position[]> {
	const result = await store.importEvents(events, after);
	assert(result._tag === "Imported", "events are taken over behind the end of the log");
	return result.positions;
}

export async function keepsAsRecorded(store: ImportingStore): Promise<void> {
	const [event] = recordedElsewhere(["stream-a"]);
	const hard = ["游戏é🎮", "\ud800", "\0", 'a"b\\c\nd', "", "x".repeat(100_000)];
	const events = hard.map((note, at) => ({
		...(event as RecordedEvent),
		id: `id-${at}-${note.slice(0, 3)}`,
		type: at % 2 === 0 ? "Noted" : `Noted ${note.slice(0, 3)}`,
		schemaVersion: at + 1,
		stream: `stream-${at % 2}`,
		version: Math.floor(at / 2) + 1,
		recordedAt: at === 0 ? 0 : 1_700_000_000_000 - at,
		data: { note, list: [at, null, true, { "1": note }], missing: undefined },
		metadata: { ingress: note, requestId: `r-${at}` },
	}));
	const positions = await imported(store, events);
	const log = await collect(store.readAll());
	assertSame(log.map(kept), events.map(kept), "events as they were recorded");
	assertSame(positionsOf(log), positions, "the positions that the import told");
}

export async function keepsOrder(store: ImportingStore): Promise<void> {
	const streams = Array.from({ length: 600 }, (_, at) => `stream-${(at * at + (at >> 3)) % 41}`);
	const events = recordedElsewhere(streams);
	const first = await imported(store, events.slice(0, 250));
	const rest = await imported(store, events.slice(250), first.at(-1));
	const log = await collect(store.readAll());
	assertSame(log.map(kept), events.map(kept), "the log in its order");
	assertSame(positionsOf(log), [...first, ...rest], "the positions of all");
	const back = await collect(store.readAll({ direction: "backward" }));
	assertSame(positionsOf(back), positionsOf(log).toReversed(), "the log backward");
}

export async function readsStreams(store: ImportingStore): Promise<void> {
	const streams = Array.from({ length: 90 }, (_, at) => `stream-${at % 7}`);
	const events = recordedElsewhere(streams);
	const first = await imported(store, events.slice(0, 40));
	await imported(store, events.slice(40), first.at(-1));
	for (const stream of new Set(streams)) {
		const own = events.filter((event) => event.stream === stream).map(kept);
		assertSame((await collect(store.read(stream))).map(kept), own, "a stream forward");
		const back = await collect(store.read(stream, { direction: "backward" }));
		assertSame(back.map(kept), own.toReversed(), "a stream backward");
	}
}

export async function letsAppendsGoOn(store: ImportingStore): Promise<void> {
	const events = recordedElsewhere(["stream-a", "stream-b", "stream-a"]);
	await imported(store, events);
	const stale = await store.append("stream-a", [newEvent()], "no-stream");
	assertSame(stale, { _tag: "WrongExpectedVersion", actualVersion: 2 }, "a stream that was taken over");
	const next = await store.append("stream-a", [newEvent(), newEvent()], 2);
	assert(next._tag === "Appended" && next.version === 4, "a stream goes on behind what was taken over");
	await store.append("stream-c", [newEvent()], "no-stream");
	const log = await collect(store.readAll());
	assertSame(
		log.map(({ stream, version }) => [stream, version]),
		[
			["stream-a", 1],
			["stream-b", 1],
			["stream-a", 2],
			["stream-a", 3],
			["stream-a", 4],
			["stream-c", 1],
		],
		"the log behind what was taken over",
	);
}

export async function keepsGaps(store: ImportingStore): Promise<void> {
	const [first, second, third] = recordedElsewhere(["stream-a", "stream-a", "stream-a"]);
	// The log elsewhere was repaired: it has lost some.
	const events = [
		{ ...(first as RecordedEvent), version: 3 },
		{ ...(second as RecordedEvent), version: 4 },
		{ ...(third as RecordedEvent), version: 9 },
	];
	const before = await imported(store, events.slice(0, 1));
	await imported(store, events.slice(1), before.at(-1));
	assertSame((await collect(store.read("stream-a"))).map(kept), events.map(kept), "a stream with gaps");
	const result = await store.append("stream-a", [newEvent()], 9);
	assert(result._tag === "Appended" && result.version === 10, "versions go on behind a gap");
}

export async function findsAgain(store: ImportingStore, harness: EventImportHarness): Promise<void> {
	const versions = new Map<string, number>();
	const events = recordedElsewhere(["stream-a", "stream-b", "stream-a"], versions);
	await imported(store, events);
	const later = await harness.reopen?.();
	assert(later !== undefined, "the harness opens the store again");
	const log = await collect(later.readAll());
	assertSame(log.map(kept), events.map(kept), "the log in a later process");
	const more = recordedElsewhere(["stream-b", "stream-c"], versions);
	await imported(later, more, log.at(-1)?.position);
	assertSame(
		(await collect(later.readAll())).map(kept),
		[...events, ...more].map(kept),
		"the log after that",
	);
}

/** When kills come, in turns of the event loop behind the call. */
const TURNS = [0, 1, 3, 10, 40];

export async function survivesKills(first: ImportingStore, harness: EventImportHarness): Promise<void> {
	const versions = new Map<string, number>();
	let store = first;
	let known: readonly RecordedEvent[] = [];
	let end: Position | undefined;
	for (const count of TURNS) {
		const sure = recordedElsewhere(["stream-a", "stream-b", "stream-a"], versions);
		end = (await imported(store, sure, end)).at(-1);
		known = [...known, ...sure];
		const cut = recordedElsewhere(
			Array.from({ length: 30 }, (_, at) => `stream-${at % 4}`),
			new Map(versions),
		);
		void store.importEvents(cut, end).catch(() => undefined);
		await turns(count);
		const later = await harness.crash?.();
		assert(later !== undefined, "the harness opens the store again");
		store = later;
		const log = await collect(store.readAll());
		const arrived = log.length - known.length;
		assert(arrived >= 0, "what was answered is there after a kill");
		const expected = [...known, ...cut.slice(0, arrived)];
		assertSame(log.map(kept), expected.map(kept), "the log after a kill");
		known = expected;
		for (const event of cut.slice(0, arrived)) versions.set(event.stream, event.version);
		end = log.at(-1)?.position;
	}
}

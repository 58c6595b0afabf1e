// The clauses of `EventStore` about the whole log: events of all sizes, and a log that grows while it is read.

import type { EventStore, NewEvent, RecordedEvent, StreamName } from "../ports/event-store.js";
import { assert, assertSame } from "./case.js";
import { collect, fill, idsOf, iterate, newEvent, newEvents, restOf } from "./sample-events.js";

/** Characters of an event's note: what fits into no block, just into one, and a hundred times into one. */
const SIZES = [1, 30, 4_000, 300, 20_000, 1, 4_096, 65_536, 1, 1_000];
const HUGE = 500_000;
/** One, two, three and four bytes a character, and what JSON escapes. */
const ALPHABETS = ["a", "é", "游", "🎮", '"\\\n', "\0"];
const STREAMS = ["stream-a", "stream-b", "stream-c"];

export async function readsLargeLog(store: EventStore): Promise<void> {
	const written = await appendAllSizes(store);
	const appended = written.map(({ event }) => event);
	const ids = idsOf(appended);
	const log = await collect(store.readAll());
	assertSame(idsOf(log), ids, "the log");
	expectNotes(log, appended);
	expectNotes(await collect(store.readAll({ direction: "backward" })), [...appended].reverse());
	for (const stream of STREAMS) {
		const own = appended.filter((_, index) => written[index]?.stream === stream);
		expectNotes(await collect(store.read(stream)), own);
		expectNotes(await collect(store.read(stream, { direction: "backward" })), [...own].reverse());
	}
	// Many readers at once, each at another place.
	const cuts = log.map(({ position }, index) => ({ position, index })).filter(({ index }) => index % 3 === 0);
	await Promise.all(
		cuts.map(async ({ position, index }) => {
			const limit = index % 18 === 0 ? ids.length : 4;
			const read = async (direction: "forward" | "backward") =>
				idsOf(await collect(store.readAll({ after: position, direction, limit })));
			const what = `event ${index + 1}, ${limit} at most`;
			assertSame(await read("forward"), ids.slice(index + 1).slice(0, limit), `the log behind ${what}`);
			const before = ids.slice(0, index).reverse().slice(0, limit);
			assertSame(await read("backward"), before, `the log before ${what}`);
		}),
	);
}

async function appendAllSizes(store: EventStore) {
	const notes = Array.from({ length: 120 }, (_, index) => noteOf(index, SIZES[index % SIZES.length] ?? 1));
	const events = [noteOf(0, HUGE), ...notes, noteOf(2, HUGE), "x"].map(newEvent);
	const written: { readonly stream: StreamName; readonly event: NewEvent }[] = [];
	for (let count = 1; written.length < events.length; count = (count % 4) + 1) {
		const stream = STREAMS[written.length % STREAMS.length] ?? "stream-a";
		const batch = events.slice(written.length, written.length + count);
		const result = await store.append(stream, batch, "any");
		assert(result._tag === "Appended", `${batch.length} events behind ${written.length} are accepted`);
		written.push(...batch.map((event) => ({ stream, event })));
	}
	return written;
}

function noteOf(index: number, length: number): string {
	const alphabet = ALPHABETS[index % ALPHABETS.length] ?? "a";
	return alphabet.repeat(Math.ceil(length / alphabet.length));
}

function expectNotes(read: readonly RecordedEvent[], appended: readonly NewEvent[]): void {
	assertSame(read.length, appended.length, "events read");
	for (const [index, event] of read.entries()) {
		const appendedNote = appended[index]?.data.note;
		assert(
			event.data.note === appendedNote,
			`event ${index + 1} holds all ${String(appendedNote).length} characters`,
		);
	}
}

export async function readsOnAsItGrows(store: EventStore): Promise<void> {
	await fill(store, "stream-a", 5);
	const forward = await startReading(store.readAll());
	const backward = await startReading(store.readAll({ direction: "backward" }));
	const stream = await startReading(store.read("stream-a"));
	const streamBackward = await startReading(store.read("stream-a", { direction: "backward" }));
	for (const name of ["stream-b", "stream-a", "stream-c", "stream-a"]) {
		await store.append(name, newEvents(5), "any");
	}
	const log = await collect(store.readAll());
	assertSame(
		await forward.finish(),
		idsOf(log),
		"a forward reading, up to the end at the time it gets there",
	);
	const reversed = [...idsOf(log)].reverse();
	const from = reversed.indexOf(backward.first.id);
	assertSame(await backward.finish(), reversed.slice(from), "a backward reading, from where it began");
	const versions = idsOf(await collect(store.read("stream-a")));
	const read = await stream.finish();
	assert(read.length >= 5, "the reading of a stream finds what was there when it began");
	assertSame(read, versions.slice(0, read.length), "the reading of a stream");
	const back = await streamBackward.finish();
	assertSame(
		back,
		versions.slice(0, streamBackward.first.version).reverse(),
		"a stream's backward reading, from where it began",
	);
}

/** Reads the first event; `finish` reads the others and resolves with the ids of all. */
async function startReading(events: AsyncIterable<RecordedEvent>) {
	const reading = iterate(events);
	const { value: first, done } = await reading.next();
	assert(done !== true, "a reading begins with an event");
	return {
		first: first as RecordedEvent,
		finish: async () => idsOf([first as RecordedEvent, ...(await collect(restOf(reading)))]),
	};
}

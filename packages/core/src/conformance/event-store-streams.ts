// The clauses of `EventStore` about finding streams: by any name, and every event of them however far apart they lie.

import type {
	EventStore,
	NewEvent,
	ReadStreamOptions,
	StreamName,
	StreamVersion,
} from "../ports/event-store.js";
import { assert, assertSame } from "./case.js";
import { collect, idsOf, newEvent, newEvents } from "./sample-events.js";
import { SIMILAR_NAMES } from "./sample-names.js";

export async function tellsStreamsApart(store: EventStore): Promise<void> {
	const there = SIMILAR_NAMES.filter((_, index) => index % 2 === 0);
	const absent = SIMILAR_NAMES.filter((_, index) => index % 2 === 1);
	await appendToEach(store, there, 0);
	for (const name of absent) {
		assertSame(await collect(store.read(name)), [], `the stream ${JSON.stringify(name)}, which is not there`);
	}
	await appendToEach(store, absent, 0);
	await refuseCreations(store, SIMILAR_NAMES, 1);
	await appendToEach(store, SIMILAR_NAMES, 1);
	await findStreams(store, SIMILAR_NAMES, 2);
}

/** Appends an event to each that holds the stream's name, all at once; fails unless all have `version`. */
export async function appendToEach(
	store: EventStore,
	names: readonly StreamName[],
	version: StreamVersion,
): Promise<void> {
	const expected = version === 0 ? "no-stream" : version;
	const results = await Promise.all(names.map((name) => store.append(name, [newEvent(name)], expected)));
	for (const [index, result] of results.entries()) {
		const isAppended = result._tag === "Appended" && result.version === version + 1;
		assert(isAppended, `${JSON.stringify(names[index])} is a stream of its own`);
	}
}

/** Fails unless each is there, as whoever would create it is told. */
export async function refuseCreations(
	store: EventStore,
	names: readonly StreamName[],
	actualVersion: StreamVersion,
): Promise<void> {
	const results = await Promise.all(names.map((name) => store.append(name, [newEvent()], "no-stream")));
	for (const [index, result] of results.entries()) {
		const refusal = { _tag: "WrongExpectedVersion", actualVersion };
		assertSame(result, refusal, `a second creation of ${JSON.stringify(names[index])}`);
	}
}

/** Fails unless each holds what `appendToEach` appended, and only that. */
export async function findStreams(
	store: EventStore,
	names: readonly StreamName[],
	version: StreamVersion,
): Promise<void> {
	for (const name of names) {
		const events = await collect(store.read(name));
		const seen = events.map(({ stream, version, data }) => [stream, version, data.note]);
		const appended = Array.from({ length: version }, (_, index) => [name, index + 1, name]);
		assertSame(seen, appended, `the stream ${JSON.stringify(name)}`);
	}
}

/** Sizes of appends, over and over: one event, several, and as many as an append takes. */
const BATCHES = [1, 2, 64, 1, 1, 7];

export async function readsLongStreams(store: EventStore): Promise<void> {
	const [long, middle, short] = await Promise.all([
		extend(store, "stream-long", 304),
		extend(store, "stream-middle", 152),
		extend(store, "stream-short", 3),
		...Array.from({ length: 30 }, (_, index) => extend(store, `stream-${index}`, 1)),
	]);
	await readCuts(store, "stream-long", idsOf(long ?? []));
	await readCuts(store, "stream-middle", idsOf(middle ?? []));
	await readCuts(store, "stream-short", idsOf(short ?? []));
}

async function extend(store: EventStore, stream: StreamName, length: number): Promise<readonly NewEvent[]> {
	const events: NewEvent[] = [];
	for (let turn = 0; events.length < length; turn += 1) {
		const batch = newEvents(Math.min(BATCHES[turn % BATCHES.length] ?? 1, length - events.length));
		await store.append(stream, batch, events.length);
		events.push(...batch);
	}
	return events;
}

async function readCuts(store: EventStore, stream: StreamName, ids: readonly string[]): Promise<void> {
	const last = ids.length;
	const everySoOften = ids.map((_, index) => index).filter((index) => index % 64 <= 1);
	const cuts: readonly (number | undefined)[] = [undefined, ...everySoOften, last - 1, last, last + 1];
	for (const after of cuts) {
		for (const direction of ["forward", "backward"] as const) {
			for (const limit of [0, 1, 10, last]) {
				const options = { direction, limit, ...(after !== undefined && { after }) };
				const read = idsOf(await collect(store.read(stream, options)));
				assertSame(read, selectIds(ids, options), `${stream} read with ${JSON.stringify(options)}`);
			}
		}
	}
}

function selectIds(ids: readonly string[], options: ReadStreamOptions): readonly string[] {
	const { after, direction, limit } = options;
	const selected =
		direction === "backward"
			? ids.slice(0, after === undefined ? ids.length : Math.max(0, after - 1)).reverse()
			: ids.slice(after ?? 0);
	return selected.slice(0, limit);
}

// The contract of `EventStore`, as cases. Every store runs them: `storage-fs`, the memory store, yours.

import type { EventStore, NewEvent, RecordedEvent } from "../ports/event-store.js";
import { comparePositions, isPosition } from "../ports/position.js";
import { isStoreFault } from "../ports/store-fault.js";
import { assert, assertSame, type ConformanceCase } from "./case.js";

export interface EventStoreHarness {
	/** Opens the store; after its `close`, opens it again on the same data where it supports persistence. */
	open(): Promise<EventStore>;
	/** Removes everything. */
	dispose(): Promise<void>;
}

type Check = (store: EventStore, harness: EventStoreHarness) => Promise<void>;
type Clause = readonly [clause: string, name: string, check: Check, needs?: keyof EventStore["supports"]];

/** All cases; each makes a harness of its own, empty. */
export function eventStoreSuite(makeHarness: () => Promise<EventStoreHarness>): readonly ConformanceCase[] {
	return CLAUSES.map(([clause, name, check, needs]) => ({
		clause,
		name,
		async run() {
			const harness = await makeHarness();
			const store = await harness.open();
			try {
				if (needs !== undefined && !store.supports[needs]) return "not-supported";
				await check(store, harness);
				return "passed";
			} finally {
				await store.close();
				await harness.dispose();
			}
		},
	}));
}

const CLAUSES: readonly Clause[] = [
	[
		"append-and-read",
		"gives back every event as it was appended, with version, position and time",
		appendsAndReads,
	],
	["create-once", "refuses a second no-stream append and writes nothing", createsOnce],
	["expected-version", "refuses a stale or future expected version and writes nothing", checksVersion],
	["any-version", "accepts any version when asked to", acceptsAny],
	["concurrent-create", "lets exactly one of 100 concurrent no-stream appends win", createsOnceConcurrently],
	["whole-batch", "writes all events of an append or none", writesWholeBatches],
	["stream-reading", "reads a stream forward and backward, after a version and up to a limit", readsStreams],
	["global-reading", "reads all streams in append order, forward and backward, after a position", readsAll],
	["no-skipped-events", "never shows an event before an earlier one while many append", skipsNothing],
	["immutable", "keeps events out of reach of whoever appended or read them", keepsEventsImmutable],
	["distinct-streams", "tells streams apart whose names are alike", tellsStreamsApart],
	["abort", "ends a reading whose signal aborts", aborts],
	["hint", "hints that events were appended until it is asked to stop", hints],
	["closed", "refuses work after close, which may be called twice", closes],
	["persistence", "finds everything again after it was closed and opened", persists, "persistence"],
];

let serial = 0;
function newEvent(note: unknown = "x"): NewEvent {
	serial += 1;
	const id = `event-${serial}-${Math.trunc(serial * 7919).toString(36)}`;
	return {
		id,
		type: "Noted",
		schemaVersion: 1,
		data: { note } as NewEvent["data"],
		metadata: { requestId: id },
	};
}

async function collect(events: AsyncIterable<RecordedEvent>): Promise<readonly RecordedEvent[]> {
	const collected: RecordedEvent[] = [];
	for await (const event of events) collected.push(event);
	return collected;
}

const idsOf = (events: readonly { readonly id: string }[]): readonly string[] => events.map(({ id }) => id);

async function fill(store: EventStore, stream: string, count: number): Promise<readonly NewEvent[]> {
	const events = Array.from({ length: count }, (_, index) => newEvent(index));
	for (const event of events) await store.append(stream, [event], "any");
	return events;
}

async function appendsAndReads(store: EventStore): Promise<void> {
	const hard = [
		"游戏é🎮",
		"\ud800",
		"e\u0301",
		"line\nbreak\u2028",
		{ __proto__x: 1, nested: [null, 0.5] },
		"",
	];
	const events = hard.map(newEvent);
	const result = await store.append("stream-a", events, "no-stream");
	assert(result._tag === "Appended", "a first append is accepted");
	assertSame(result.version, events.length, "the version counts the events");
	const read = await collect(store.read("stream-a"));
	assertSame(
		read.map(({ id, type, schemaVersion, data, metadata }) => ({ id, type, schemaVersion, data, metadata })),
		events,
		"the events read",
	);
	assertSame(
		read.map(({ version }) => version),
		events.map((_, index) => index + 1),
		"the versions",
	);
	assert(
		read.every(({ position }) => isPosition(position)),
		"positions are decimal strings",
	);
	assertSame(read.at(-1)?.position, result.position, "the last position");
	assert(
		read.every(({ stream }) => stream === "stream-a"),
		"events name their stream",
	);
	assert(
		read.every(({ recordedAt }) => Number.isInteger(recordedAt)),
		"events carry a time in milliseconds",
	);
	assertSame(await collect(store.read("stream-b")), [], "a stream that is not there is empty");
}

async function createsOnce(store: EventStore): Promise<void> {
	const first = newEvent();
	await store.append("stream-a", [first], "no-stream");
	const result = await store.append("stream-a", [newEvent()], "no-stream");
	assertSame(result, { _tag: "WrongExpectedVersion", actualVersion: 1 }, "the second append");
	assertSame(idsOf(await collect(store.read("stream-a"))), [first.id], "the stream");
}

async function checksVersion(store: EventStore): Promise<void> {
	const events = await fill(store, "stream-a", 2);
	for (const stale of [1, 3, 0]) {
		const result = await store.append("stream-a", [newEvent()], stale);
		assertSame(result, { _tag: "WrongExpectedVersion", actualVersion: 2 }, `an append that expects ${stale}`);
	}
	const absent = await store.append("stream-b", [newEvent()], 1);
	assertSame(
		absent,
		{ _tag: "WrongExpectedVersion", actualVersion: 0 },
		"an append to a stream that is not there",
	);
	const next = newEvent();
	const result = await store.append("stream-a", [next], 2);
	assert(result._tag === "Appended" && result.version === 3, "the right version is accepted");
	assertSame(idsOf(await collect(store.readAll())), idsOf([...events, next]), "the log");
}

async function acceptsAny(store: EventStore): Promise<void> {
	const events = [newEvent(), newEvent()];
	for (const event of events) {
		const result = await store.append("stream-a", [event], "any");
		assert(result._tag === "Appended", "any version is accepted");
	}
	assertSame(idsOf(await collect(store.read("stream-a"))), idsOf(events), "the stream");
}

async function createsOnceConcurrently(store: EventStore): Promise<void> {
	const attempts = Array.from({ length: 100 }, () => store.append("stream-a", [newEvent()], "no-stream"));
	const results = await Promise.all(attempts);
	const won = results.filter(({ _tag }) => _tag === "Appended").length;
	assertSame(won, 1, "appends that won");
	assert(
		results.every((result) => result._tag === "Appended" || result.actualVersion === 1),
		"those that lost are told version 1",
	);
	assertSame((await collect(store.read("stream-a"))).length, 1, "events in the stream");
}

async function writesWholeBatches(store: EventStore): Promise<void> {
	const before = newEvent();
	await store.append("stream-a", [before], "no-stream");
	const refused = await store.append("stream-a", [newEvent(), newEvent(), newEvent()], "no-stream");
	assert(refused._tag === "WrongExpectedVersion", "a batch with a wrong expected version is refused");
	assertSame(idsOf(await collect(store.readAll())), [before.id], "the log after a refused batch");
	const batches = Array.from({ length: 8 }, () => [newEvent(), newEvent(), newEvent()]);
	await Promise.all(batches.map((batch) => store.append("stream-a", batch, "any")));
	const read = idsOf(await collect(store.read("stream-a"))).slice(1);
	assertSame(read.length, 24, "events of the batches");
	for (const batch of batches) {
		const at = read.indexOf(batch[0]?.id ?? "");
		assertSame(read.slice(at, at + 3), idsOf(batch), "a batch stands together, in its order");
	}
}

async function readsStreams(store: EventStore): Promise<void> {
	const ids = idsOf(await fill(store, "stream-a", 5));
	await fill(store, "stream-b", 1);
	const read = async (options: Parameters<EventStore["read"]>[1]) =>
		idsOf(await collect(store.read("stream-a", options)));
	assertSame(await read({ after: 2 }), ids.slice(2), "forward after version 2");
	assertSame(await read({ limit: 2 }), ids.slice(0, 2), "forward, 2 at most");
	assertSame(await read({ after: 5 }), [], "forward after the last");
	assertSame(await read({ direction: "backward" }), [...ids].reverse(), "backward");
	assertSame(await read({ direction: "backward", after: 3 }), [ids[1], ids[0]], "backward before version 3");
	assertSame(await read({ direction: "backward", limit: 1 }), [ids[4]], "the last one");
	assertSame(await read({ direction: "backward", after: 1 }), [], "backward before the first");
}

async function readsAll(store: EventStore): Promise<void> {
	const appended: NewEvent[] = [];
	for (const stream of ["a", "b", "a", "c", "b"])
		appended.push(...(await fill(store, `stream-${stream}`, 1)));
	const ids = idsOf(appended);
	const all = await collect(store.readAll());
	assertSame(idsOf(all), ids, "the log");
	const third = all[2]?.position;
	assert(third !== undefined, "there is a third event");
	const read = async (options: Parameters<EventStore["readAll"]>[0]) =>
		idsOf(await collect(store.readAll(options)));
	assertSame(await read({ after: third }), ids.slice(3), "forward after the third");
	assertSame(await read({ after: third, limit: 1 }), ids.slice(3, 4), "one after the third");
	assertSame(await read({ direction: "backward" }), [...ids].reverse(), "backward");
	assertSame(
		await read({ direction: "backward", after: third }),
		[ids[1], ids[0]],
		"backward before the third",
	);
	assertSame(await read({ direction: "backward", limit: 1 }), [ids[4]], "the last one");
}

async function skipsNothing(store: EventStore): Promise<void> {
	let writing = true;
	const writers = Array.from({ length: 8 }, (_, writer) => fill(store, `stream-${writer}`, 25));
	const done = Promise.all(writers).then(() => {
		writing = false;
	});
	const seen: RecordedEvent[] = [];
	do {
		const last = seen.at(-1)?.position;
		for await (const event of store.readAll(last === undefined ? {} : { after: last })) seen.push(event);
		await new Promise((resolve) => setTimeout(resolve, 0));
	} while (writing);
	await done;
	const last = seen.at(-1)?.position;
	for await (const event of store.readAll(last === undefined ? {} : { after: last })) seen.push(event);
	assertSame(idsOf(seen), idsOf(await collect(store.readAll())), "what was seen while others wrote");
	assertSame(seen.length, 200, "events seen");
	const ordered = seen.every((event, index) => {
		const previous = seen[index - 1];
		return previous === undefined || comparePositions(previous.position, event.position) < 0;
	});
	assert(ordered, "positions grow");
}

async function keepsEventsImmutable(store: EventStore): Promise<void> {
	const data = { list: ["kept"], nested: { value: "kept" } };
	const event: NewEvent = { ...newEvent(), data };
	await store.append("stream-a", [event], "no-stream");
	data.list.push("changed");
	data.nested.value = "changed";
	for (const read of [store.read("stream-a"), store.readAll()]) {
		for (const recorded of await collect(read)) {
			const { nested } = recorded.data as { nested: { value: string } };
			assert(
				throws(() => Object.assign(nested, { value: "changed" })),
				"what is read is deeply frozen",
			);
			assert(
				throws(() => Object.assign(recorded, { id: "changed" })),
				"a recorded event is frozen",
			);
		}
	}
	const [kept] = await collect(store.read("stream-a"));
	assertSame(kept?.data, { list: ["kept"], nested: { value: "kept" } }, "the event's data");
}

async function tellsStreamsApart(store: EventStore): Promise<void> {
	const names = [
		"stream-a",
		"stream-A",
		"stream-a/",
		"stream-a/b",
		"../stream-a",
		"stream-a.json",
		"__proto__",
	];
	for (const name of names) {
		const result = await store.append(name, [newEvent(name)], "no-stream");
		assert(result._tag === "Appended", `${name} is a stream of its own`);
	}
	for (const name of names) {
		const events = await collect(store.read(name));
		assertSame(
			events.map(({ data }) => data),
			[{ note: name }],
			`the stream ${name}`,
		);
	}
}

async function aborts(store: EventStore): Promise<void> {
	await fill(store, "stream-a", 3);
	for (const read of [store.read.bind(store, "stream-a"), store.readAll.bind(store)]) {
		const controller = new AbortController();
		let count = 0;
		const reading = (async () => {
			for await (const _ of read({ signal: controller.signal })) {
				count += 1;
				controller.abort();
			}
		})();
		await reading.catch(() => undefined);
		assertSame(count, 1, "events read before the signal was heeded");
	}
}

async function hints(store: EventStore): Promise<void> {
	let count = 0;
	const stop = store.onAppended(() => {
		count += 1;
	});
	// A hint may be lost; all of twenty are not.
	await fill(store, "stream-a", 20);
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert(count > 0, "appends are hinted at");
	stop();
	count = 0;
	await fill(store, "stream-a", 1);
	await new Promise((resolve) => setTimeout(resolve, 50));
	assertSame(count, 0, "hints after they were stopped");
}

async function closes(store: EventStore): Promise<void> {
	const pending = store.append("stream-a", [newEvent()], "no-stream");
	await Promise.all([store.close(), store.close()]);
	assert((await pending)._tag === "Appended", "an append under way is finished");
	await store.close();
	for (const work of [
		() => store.append("stream-b", [newEvent()], "no-stream"),
		() => collect(store.read("stream-a")),
		() => collect(store.readAll()),
	]) {
		const fault = await work().then(
			() => undefined,
			(error: unknown) => error,
		);
		assert(isStoreFault(fault) && fault.reason === "closed", "a closed store rejects with StoreFault closed");
	}
}

async function persists(store: EventStore, harness: EventStoreHarness): Promise<void> {
	await store.append("stream-a", [newEvent(), newEvent("游戏")], "no-stream");
	await fill(store, "stream-b", 3);
	const before = await collect(store.readAll());
	await store.close();
	const reopened = await harness.open();
	try {
		assertSame(await collect(reopened.readAll()), before, "the log after it was opened again");
		const again = await reopened.append("stream-a", [newEvent()], "no-stream");
		assertSame(again, { _tag: "WrongExpectedVersion", actualVersion: 2 }, "a stream that was there before");
		const next = await reopened.append("stream-a", [newEvent()], 2);
		const last = before.at(-1)?.position;
		assert(next._tag === "Appended" && last !== undefined, "the stream goes on");
		assert(comparePositions(next.position, last) > 0, "positions go on behind the old ones");
	} finally {
		await reopened.close();
	}
}

function throws(work: () => unknown): boolean {
	try {
		work();
		return false;
	} catch {
		return true;
	}
}

// The clauses of `EventStore` about writing: what one append promises.

import type { EventStore, NewEvent } from "../ports/event-store.js";
import { isPosition } from "../ports/position.js";
import { assert, assertMistake, assertSame, describeValue } from "./case.js";
import { collect, fill, idsOf, newEvent } from "./sample-events.js";

export async function appendsAndReads(store: EventStore): Promise<void> {
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

export async function createsOnce(store: EventStore): Promise<void> {
	const first = newEvent();
	await store.append("stream-a", [first], "no-stream");
	const result = await store.append("stream-a", [newEvent()], "no-stream");
	assertSame(result, { _tag: "WrongExpectedVersion", actualVersion: 1 }, "the second append");
	assertSame(idsOf(await collect(store.read("stream-a"))), [first.id], "the stream");
}

export async function checksVersion(store: EventStore): Promise<void> {
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

export async function acceptsAny(store: EventStore): Promise<void> {
	const events = [newEvent(), newEvent()];
	for (const event of events) {
		const result = await store.append("stream-a", [event], "any");
		assert(result._tag === "Appended", "any version is accepted");
	}
	assertSame(idsOf(await collect(store.read("stream-a"))), idsOf(events), "the stream");
}

export async function refusesArguments(store: EventStore): Promise<void> {
	const event = newEvent();
	const refused: readonly Parameters<EventStore["append"]>[] = [
		["", [event], "any"],
		["x".repeat(129), [event], "any"],
		["stream-é", [event], "any"],
		["stream-a", [], "any"],
		["stream-a", Array.from({ length: 65 }, () => newEvent()), "any"],
		["stream-a", [{ ...event, id: "" }], "any"],
		["stream-a", [event], -1],
		["stream-a", [event], 1.5],
	];
	for (const [stream, events, expected] of refused) {
		const ids = events.some(({ id }) => id === "") ? ", with an empty id," : "";
		const what = `an append of ${events.length} events${ids} to ${describeValue(stream)} that expects ${expected}`;
		await assertMistake(() => store.append(stream, events, expected), what);
	}
	assertSame(await collect(store.readAll()), [], "the log after refused appends");
}

export async function writesWholeBatches(store: EventStore): Promise<void> {
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

export async function recordsWhatWasPassed(store: EventStore): Promise<void> {
	const event = { ...newEvent(), data: { list: ["kept"] }, metadata: { requestId: "kept" } };
	const passed = JSON.parse(JSON.stringify(event)) as NewEvent;
	const events: NewEvent[] = [event];
	const appending = store.append("stream-a", events, "no-stream");
	Object.assign(event, { id: "changed", type: "Changed" });
	event.data.list.push("changed");
	event.metadata.requestId = "changed";
	events.push(newEvent());
	const result = await appending;
	assert(result._tag === "Appended" && result.version === 1, "the append is accepted as it was called");
	const read = await collect(store.readAll());
	assertSame(
		read.map(({ id, type, schemaVersion, data, metadata }) => ({ id, type, schemaVersion, data, metadata })),
		[passed],
		"the log, when the caller changed its objects while the append was under way",
	);
}

export async function leavesNothingOfRefused(store: EventStore): Promise<void> {
	const circle: Record<string, unknown> = {};
	circle.circle = circle;
	const kept: NewEvent[] = [];
	for (const [what, impossible] of [
		["data that holds itself", circle],
		["a bigint in data.number", { number: 1n }],
	] as const) {
		const data = impossible as NewEvent["data"];
		const batch = [newEvent(), newEvent(), { ...newEvent(), data }];
		const stream = `stream-${kept.length}`;
		await assertMistake(() => store.append(stream, batch, "no-stream"), `an append of an event with ${what}`);
		const [first, second, third] = [newEvent(), newEvent(), newEvent()];
		const created = await store.append(stream, [first], "no-stream");
		// In one tick: neither the append before nor the one behind may suffer.
		const [before, , behind] = await Promise.all([
			store.append(stream, [second], "any"),
			assertMistake(() => store.append(stream, batch, "any"), `an append between others, with ${what},`),
			store.append(stream, [third], "any"),
		]);
		const beside = {
			"behind a refused one": created,
			"right before one": before,
			"right behind one": behind,
		};
		for (const [where, { _tag }] of Object.entries(beside))
			assertSame(_tag, "Appended", `an append ${where}`);
		const last = newEvent();
		const result = await store.append(stream, [last], 3);
		const tried = "an append that expects version 3, of the three that were accepted";
		const answer = result._tag === "Appended" ? {} : { actualVersion: result.actualVersion };
		assertSame({ _tag: result._tag, ...answer }, { _tag: "Appended" }, tried);
		kept.push(first, second, third, last);
	}
	const log = idsOf(await collect(store.readAll()));
	const ids = idsOf(kept);
	const strangers = log.filter((id) => !ids.includes(id));
	assertSame(strangers.length, 0, "events of refused appends in the log");
	assertSame([...log].sort(), [...ids].sort(), "the ids of accepted events in the log");
}

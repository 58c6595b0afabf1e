// The clauses of `EventStore` about writing: what an append promises, and what is left after a close.

import type { EventStore } from "../ports/event-store.js";
import { comparePositions, isPosition } from "../ports/position.js";
import { isStoreFault } from "../ports/store-fault.js";
import { assert, assertSame } from "./case.js";
import type { EventStoreHarness } from "./event-store.js";
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

export async function createsOnceConcurrently(store: EventStore): Promise<void> {
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
		const refusal = await (async () => store.append(stream, events, expected))().then(
			() => undefined,
			(error: unknown) => error,
		);
		const isMistake = refusal instanceof TypeError || refusal instanceof RangeError;
		assert(
			isMistake,
			`${events.length} events to "${stream.slice(0, 20)}" that expect ${expected} are refused`,
		);
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

export async function closes(store: EventStore): Promise<void> {
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

export async function persists(store: EventStore, harness: EventStoreHarness): Promise<void> {
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

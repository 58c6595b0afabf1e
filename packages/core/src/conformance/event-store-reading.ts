// The clauses of `EventStore` about reading: order, completeness, and events that nobody can change.

import type { EventStore, NewEvent, RecordedEvent } from "../ports/event-store.js";
import { comparePositions } from "../ports/position.js";
import { assert, assertFrozen, assertSame } from "./case.js";
import { pause } from "./pause.js";
import { collect, fill, idsOf, newEvent } from "./sample-events.js";

export async function readsStreams(store: EventStore): Promise<void> {
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

export async function readsAll(store: EventStore): Promise<void> {
	const appended: NewEvent[] = [];
	for (const stream of ["a", "b", "a", "c", "b"])
		appended.push(...(await fill(store, `stream-${stream}`, 1)));
	const ids = idsOf(appended);
	const all = await collect(store.readAll());
	assertSame(idsOf(all), ids, "the log");
	const names = all.map(({ stream, version }) => `${stream} ${version}`);
	const places = ["stream-a 1", "stream-b 1", "stream-a 2", "stream-c 1", "stream-b 2"];
	assertSame(names, places, "stream and version of each event in the log");
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

/** Names that one could take for another; one has what JSON escapes. */
export const TYPES: readonly string[] = ["Reported", "ReportedAgain", "Re", "reported", 'Rep"orted', "游戏"];

export async function readsTypes(store: EventStore): Promise<void> {
	for (let turn = 0; turn < 24; turn += 1) {
		const type = TYPES[(turn * 5) % TYPES.length] as string;
		// What is said in an event's data is not its type.
		const event = {
			...newEvent(),
			type,
			data: { type: TYPES[turn % TYPES.length] as string, note: ',"type":"Re",' },
		};
		await store.append(`stream-${turn % 3}`, [event], "any");
	}
	const log = await collect(store.readAll());
	const third = log[8]?.position;
	assert(third !== undefined, "there is a ninth event");
	const places = [
		{},
		{ after: third },
		{ direction: "backward" },
		{ direction: "backward", after: third },
	] as const;
	for (const types of [...TYPES.map((type) => [type]), ["Re", "游戏"], TYPES, ["Other"], []]) {
		for (const place of places) {
			const all = await collect(store.readAll(place));
			const expected = idsOf(all.filter(({ type }) => types.includes(type)));
			const what = `events of the types ${JSON.stringify(types)}, ${JSON.stringify(place)}`;
			assertSame(idsOf(await collect(store.readAll({ ...place, types }))), expected, what);
			const three = await collect(store.readAll({ ...place, types, limit: 3 }));
			assertSame(idsOf(three), expected.slice(0, 3), `the first 3 ${what}`);
		}
	}
}

export async function skipsNothing(store: EventStore): Promise<void> {
	let writing = true;
	const writers = Array.from({ length: 8 }, (_, writer) => fill(store, `stream-${writer}`, 25));
	const done = Promise.all(writers).then(() => {
		writing = false;
	});
	const seen: RecordedEvent[] = [];
	do {
		const last = seen.at(-1)?.position;
		for await (const event of store.readAll(last === undefined ? {} : { after: last })) seen.push(event);
		await pause();
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

export async function keepsEventsImmutable(store: EventStore): Promise<void> {
	const data = { list: ["kept"], nested: { value: "kept" } };
	const event: NewEvent = { ...newEvent(), data };
	await store.append("stream-a", [event], "no-stream");
	data.list.push("changed");
	data.nested.value = "changed";
	const readings = [
		["read", () => store.read("stream-a")],
		["readAll", () => store.readAll()],
	] as const;
	for (const [name, read] of readings) {
		const events = await collect(read());
		assertSame(events.length, 1, `events that ${name} hands out`);
		for (const recorded of events) assertFrozen(recorded, `an event that ${name} hands out`);
	}
	const [kept] = await collect(store.read("stream-a"));
	const passed = { list: ["kept"], nested: { value: "kept" } };
	assertSame(kept?.data, passed, "the data of an event whose caller changed its own object after the append");
}

export async function aborts(store: EventStore): Promise<void> {
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

export async function hints(store: EventStore): Promise<void> {
	let count = 0;
	const listen = (): void => {
		count += 1;
	};
	const stopFirst = store.onAppended(listen);
	const stop = store.onAppended(listen);
	// The second stays, though it is the same function.
	stopFirst();
	stopFirst();
	// A hint may be lost; all of twenty are not.
	await fill(store, "stream-a", 20);
	await pause(50);
	assert(
		count > 0,
		"hints within 50 ms of 20 appends, to the listener that was not stopped: are 0, must be 1 or more",
	);
	stop();
	count = 0;
	await fill(store, "stream-a", 1);
	await pause(50);
	assertSame(count, 0, "hints at an append behind the stop of both listeners");
}

// The clauses of `EventStore` about `close`: what it waits for, and what becomes of readings.

import type { EventStore, RecordedEvent } from "../ports/event-store.js";
import { isStoreFault } from "../ports/store-fault.js";
import { assert, assertSame, rejectionOf } from "./case.js";
import { collect, fill, idsOf, iterate, newEvent, restOf } from "./sample-events.js";

/** How long a close may take that has nothing to wait for: many times what a slow disk needs. */
const MAX_CLOSE_MS = 3_000;

export async function closes(store: EventStore): Promise<void> {
	const pending = store.append("stream-a", [newEvent()], "no-stream");
	const [result] = await Promise.all([pending, store.close(), store.close()]);
	assert(result._tag === "Appended", "an append under way is finished");
	await store.close();
	for (const work of [
		() => store.append("stream-b", [newEvent()], "no-stream"),
		() => collect(store.read("stream-a")),
		() => collect(store.readAll()),
	]) {
		assert(isClosed(await rejectionOf(work)), "a closed store rejects with StoreFault closed");
	}
}

export async function closesWithoutReaders(store: EventStore): Promise<void> {
	const events = await fill(store, "stream-a", 3);
	for (let turn = 0; turn < 50; turn += 1) {
		for (const events of readings(store, turn % 2 === 0 ? "forward" : "backward")) {
			for await (const _ of events) break;
		}
	}
	assertSame(idsOf(await collect(store.readAll())), idsOf(events), "the log after readings were broken off");
	const left = [...readings(store, "forward"), ...readings(store, "backward")].map(iterate);
	for (const reading of left) await reading.next();
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise((resolve) => {
		timer = setTimeout(resolve, MAX_CLOSE_MS, "late");
	});
	try {
		const first = await Promise.race([store.close(), late]);
		assert(first !== "late", "close does not wait for whoever stopped reading");
	} finally {
		clearTimeout(timer);
		for (const reading of left) await reading.return?.();
	}
}

export async function endsNoReadingEarly(store: EventStore): Promise<void> {
	const note = "x".repeat(40_000);
	for (let version = 0; version < 6; version += 1) await store.append("stream-a", [newEvent(note)], version);
	const ids = idsOf(await collect(store.readAll()));
	const underWay = [];
	for (const direction of ["forward", "backward"] as const) {
		for (const events of readings(store, direction)) {
			const reading = iterate(events);
			const first = await reading.next();
			assert(first.done !== true, "a reading begins with an event");
			const whole = direction === "forward" ? ids : [...ids].reverse();
			underWay.push({ reading, whole, seen: [first.value.id] });
		}
	}
	const closing = store.close();
	for (const { reading, whole, seen } of underWay) {
		const fault = await rejectionOf(async () => {
			for await (const { id } of restOf(reading)) seen.push(id);
		});
		assertSame(seen, whole.slice(0, seen.length), "a reading that was under way at the close");
		if (fault === undefined)
			assertSame(seen.length, whole.length, "events of a reading that ended as if all was read");
		else assert(isClosed(fault), "a reading that a close ends rejects with StoreFault closed");
	}
	await closing;
}

function readings(
	store: EventStore,
	direction: "forward" | "backward",
): readonly AsyncIterable<RecordedEvent>[] {
	return [store.read("stream-a", { direction }), store.readAll({ direction })];
}

function isClosed(error: unknown): boolean {
	return isStoreFault(error) && error.reason === "closed";
}

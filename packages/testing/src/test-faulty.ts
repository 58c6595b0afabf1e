// For the tests of `faulty` only: a wrapped store in memory, and what is looked at.

import { createMemoryEventStore } from "@reelkeep/core";
import type { NewEvent, RecordedEvent } from "@reelkeep/core/ports";
import { createFakeClock } from "./fake-clock.js";
import { faulty } from "./faulty.js";

export const IO = { _tag: "StoreFault", reason: "io", retryable: true };
export const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(1);
export const event = (id: string): NewEvent => ({
	id,
	type: "Noted",
	schemaVersion: 1,
	data: {},
	metadata: {},
});

export function givenEvents() {
	const clock = createFakeClock();
	const store = faulty(createMemoryEventStore({ clock }), { clock });
	const append = (...ids: string[]) => store.append("stream-a", ids.map(event), "any");
	const ids = () => idsOf(store.readAll());
	return { clock, store, faults: store.faults, append, ids };
}

export async function idsOf(events: AsyncIterable<RecordedEvent>): Promise<readonly string[]> {
	const ids: string[] = [];
	for await (const { id } of events) ids.push(id);
	return ids;
}

export async function isSettled(work: Promise<unknown>): Promise<boolean> {
	let settled = false;
	const note = () => {
		settled = true;
	};
	work.then(note, note);
	await new Promise((resolve) => setImmediate(resolve));
	return settled;
}

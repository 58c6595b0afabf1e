// The clause of `EventStore` about appends that a kill cuts short, at whatever moment it comes.

import type { AppendResult, EventStore, NewEvent, RecordedEvent, StreamName } from "../ports/event-store.js";
import { assert, assertSame } from "./case.js";
import type { EventStoreHarness } from "./event-store.js";
import { kill } from "./event-store-crashing.js";
import { durationOf, turns, waitDuring } from "./kill-moments.js";
import { collect, fill, idsOf, newEvent } from "./sample-events.js";

/** Of each kill. */
const BATCHES = 3;
const BATCH_EVENTS = 5;
/** When kills come, as parts of the time that the appends take: the first in the tick of their calls. */
const PARTS = Array.from({ length: 8 }, (_, index) => index / 8);
/** When further kills come, in turns of the event loop behind the first answer: a store is busy with other batches then. */
const TURNS = [0, 1, 2, 4];

export async function keepsWholeBatchesThroughKills(
	first: EventStore,
	harness: EventStoreHarness,
): Promise<void> {
	let store = first;
	await fill(store, "stream-a", 2);
	const whole = appendBatches(store, "whole");
	let longestMs = await durationOf(whole.settled);
	assertSame(whole.answered().length, BATCHES, "of appends at once, those that were accepted");
	let log = await collect(store.readAll());
	const cutShort = async (cut: Batches): Promise<void> => {
		store = await kill(harness);
		log = await findWhole(store, cut, log);
	};
	for (const [index, part] of PARTS.entries()) {
		const cut = appendBatches(store, `part-${part}`);
		if (part > 0) {
			const delayMs = part * longestMs;
			const passedMs = await waitDuring(cut.settled, delayMs);
			// They were slow once: else later kills would come when everything is over.
			if (passedMs < delayMs) longestMs = passedMs;
			// Time is often up when something long is over, and that is always the same.
			await turns(index % BATCH_EVENTS);
		}
		await cutShort(cut);
	}
	for (const count of TURNS) {
		const cut = appendBatches(store, `turns-${count}`);
		await cut.firstAnswer;
		await turns(count);
		// So that no store passes of which nothing was kept, and nothing promised.
		assert(cut.answered().length > 0, "an append is accepted, and then comes a kill");
		await cutShort(cut);
	}
}

/** Appends that are under way, each to a stream of its own. */
interface Batches {
	readonly events: ReadonlyMap<StreamName, readonly NewEvent[]>;
	/** The streams whose appends were accepted up to now. */
	answered(): readonly StreamName[];
	readonly firstAnswer: Promise<unknown>;
	/** Never rejects. */
	readonly settled: Promise<unknown>;
}

function appendBatches(store: EventStore, name: string): Batches {
	const answers = new Map<StreamName, AppendResult>();
	// Each large enough that it is not written at a stroke.
	const newBatch = () => Array.from({ length: BATCH_EVENTS }, () => newEvent("x".repeat(20_000)));
	const events = new Map(
		Array.from({ length: BATCHES }, (_, index) => [`stream-${name}-${index}`, newBatch()] as const),
	);
	const appending = [...events].map(([stream, batch]) =>
		store.append(stream, batch, "no-stream").then(
			(answer) => {
				answers.set(stream, answer);
			},
			() => undefined,
		),
	);
	return {
		events,
		answered: () => [...answers].flatMap(([stream, { _tag }]) => (_tag === "Appended" ? [stream] : [])),
		firstAnswer: Promise.race(appending),
		settled: Promise.all(appending),
	};
}

/** Fails unless streams and log tell the same of appends that a kill cut short; appends to each. `before`: the log before. */
async function findWhole(
	store: EventStore,
	cut: Batches,
	before: readonly RecordedEvent[],
): Promise<readonly RecordedEvent[]> {
	const answered = cut.answered();
	const log = await collect(store.readAll());
	const others = log.filter(({ stream }) => !cut.events.has(stream));
	assertSame(others.map(placeOf), before.map(placeOf), "in the log after a kill, what was there before");
	const versions = new Map<StreamName, number>();
	for (const [stream, batch] of cut.events) {
		const kept = await collect(store.read(stream));
		const isWhole = kept.length === batch.length;
		assert(
			isWhole || kept.length === 0,
			`a kill left ${kept.length} of the ${batch.length} events of an append: all must be there, or none`,
		);
		if (isWhole)
			assertSame(idsOf(kept), idsOf(batch), "the events of an append that was under way at a kill");
		assert(isWhole || !answered.includes(stream), "an append that was answered is gone after a kill");
		const logged = log.filter((event) => event.stream === stream);
		const what = "in the log, what a kill left of an append as its stream shows it";
		assertSame(logged.map(placeOf), kept.map(placeOf), what);
		assertSame(logged, kept, what);
		versions.set(stream, kept.length);
	}
	return [...log, ...(await extend(store, versions, log.at(-1)))];
}

const placeOf = ({ position, stream, version, id }: RecordedEvent) => [position, stream, version, id];

/** Appends one event to each stream. */
async function extend(
	store: EventStore,
	versions: ReadonlyMap<StreamName, number>,
	last: RecordedEvent | undefined,
): Promise<readonly RecordedEvent[]> {
	const next: NewEvent[] = [];
	for (const [stream, version] of versions) {
		const event = newEvent();
		next.push(event);
		const again = await store.append(stream, [event], version || "no-stream");
		assert(again._tag === "Appended", "the next append finds the version that is read");
	}
	const added = await collect(store.readAll(last && { after: last.position }));
	assertSame(idsOf(added), idsOf(next), "what is appended after a kill, behind what was there before");
	return added;
}

// The contract of `EventStore`, as cases. Every store runs them: `storage-fs`, the memory store, yours.

import type { EventStore } from "../ports/event-store.js";
import type { ConformanceCase } from "./case.js";
import * as reading from "./event-store-reading.js";
import * as writing from "./event-store-writing.js";

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
		writing.appendsAndReads,
	],
	["create-once", "refuses a second no-stream append and writes nothing", writing.createsOnce],
	[
		"expected-version",
		"refuses a stale or future expected version and writes nothing",
		writing.checksVersion,
	],
	["any-version", "accepts any version when asked to", writing.acceptsAny],
	[
		"concurrent-create",
		"lets exactly one of 100 concurrent no-stream appends win",
		writing.createsOnceConcurrently,
	],
	["arguments", "refuses what no store can keep, and writes nothing", writing.refusesArguments],
	["whole-batch", "writes all events of an append or none", writing.writesWholeBatches],
	[
		"stream-reading",
		"reads a stream forward and backward, after a version and up to a limit",
		reading.readsStreams,
	],
	[
		"global-reading",
		"reads all streams in append order, forward and backward, after a position",
		reading.readsAll,
	],
	["no-skipped-events", "never shows an event before an earlier one while many append", reading.skipsNothing],
	["immutable", "keeps events out of reach of whoever appended or read them", reading.keepsEventsImmutable],
	["distinct-streams", "tells streams apart whose names are alike", reading.tellsStreamsApart],
	["abort", "ends a reading whose signal aborts", reading.aborts],
	["hint", "hints that events were appended until it is asked to stop", reading.hints],
	["closed", "refuses work after close, which may be called twice", writing.closes],
	["persistence", "finds everything again after it was closed and opened", writing.persists, "persistence"],
];

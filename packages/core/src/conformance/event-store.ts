// The contract of `EventStore`, as cases. Every store runs them: `storage-fs`, the memory store, yours.

import type { EventStore } from "../ports/event-store.js";
import { type Clause, type ConformanceCase, createCases } from "./case.js";
import * as closing from "./event-store-closing.js";
import * as crashing from "./event-store-crashing.js";
import * as cutBatches from "./event-store-cut-batches.js";
import * as encoded from "./event-store-encoded.js";
import * as log from "./event-store-log.js";
import * as races from "./event-store-races.js";
import * as reading from "./event-store-reading.js";
import * as reopening from "./event-store-reopening.js";
import * as streams from "./event-store-streams.js";
import * as writing from "./event-store-writing.js";

export interface EventStoreHarness {
	/** Opens the store; after its `close`, opens it again on the same data where it supports persistence. */
	open(): Promise<EventStore>;
	/**
	 * Kills the process that has the store open, appends under way, and opens what it left; a case may do so several times.
	 * Resolves when nothing of the killed process can be written any more; who waits for one of its appends may hear
	 * nothing. From this call on the killed store is not touched, nor closed: what this process holds of it, the harness
	 * releases. What is opened so, `dispose` closes. Absent: the store is not killed.
	 */
	crash?(): Promise<EventStore>;
	/** Removes everything. */
	dispose(): Promise<void>;
}

type SuiteClause = Clause<EventStore, EventStoreHarness, keyof EventStore["supports"] | "crash">;

/** All cases; each makes a harness of its own, empty. */
export function eventStoreSuite(makeHarness: () => Promise<EventStoreHarness>): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, {
		open: (harness) => harness.open(),
		supports: (need, store, harness) =>
			need === "crash" ? harness.crash !== undefined : store.supports[need],
		end: async (store, harness) => {
			if (!crashing.wasKilled(harness)) await store.close();
		},
	});
}

const CLAUSES: readonly SuiteClause[] = [
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
	["arguments", "refuses what no store can keep, and writes nothing", writing.refusesArguments],
	[
		"refused-append",
		"leaves nothing of an append that JSON cannot hold, and goes on",
		writing.leavesNothingOfRefused,
	],
	["whole-batch", "writes all events of an append or none", writing.writesWholeBatches],
	[
		"taken-at-call",
		"records what was passed, whatever the caller does to it while the append is under way",
		writing.recordsWhatWasPassed,
	],
	[
		"concurrent-create",
		"lets exactly one of 100 concurrent no-stream appends win",
		races.createsOnceConcurrently,
	],
	[
		"concurrent-streams",
		"lets exactly one creation of each stream win when many race at once",
		races.createsManyOnceConcurrently,
	],
	["call-order", "decides appends to one stream in the order of the calls", races.decidesInCallOrder],
	[
		"cause-before-conflict",
		"tells of a conflict only once the events that caused it can be read",
		races.showsTheCauseOfAConflict,
	],
	[
		"answer-then-read",
		"shows an append to every reader once it was answered, where the answer says",
		races.showsWhatWasAnswered,
	],
	["batch-visibility", "shows all events of an append or none", races.showsWholeBatches],
	[
		"stream-reading",
		"reads a stream forward and backward, after a version and up to a limit",
		reading.readsStreams,
	],
	[
		"long-streams",
		"finds every event of long streams that lie scattered over the log",
		streams.readsLongStreams,
	],
	["distinct-streams", "tells streams apart whose names are alike", streams.tellsStreamsApart],
	[
		"global-reading",
		"reads all streams in append order, forward and backward, after a position",
		reading.readsAll,
	],
	[
		"type-reading",
		"reads only events of some types, from any place, both ways, and up to a limit of those",
		reading.readsTypes,
	],
	[
		"encoded-reading",
		"hands out the same events without parsing them, from any place, both ways",
		encoded.handsOnEncoded,
	],
	["large-log", "reads a log of events of all sizes, from any place, both ways", log.readsLargeLog],
	["growing-log", "reads on through what is appended meanwhile, up to the end", log.readsOnAsItGrows],
	["no-skipped-events", "never shows an event before an earlier one while many append", reading.skipsNothing],
	["immutable", "keeps events out of reach of whoever appended or read them", reading.keepsEventsImmutable],
	["abort", "ends a reading whose signal aborts", reading.aborts],
	["hint", "hints that events were appended until it is asked to stop", reading.hints],
	["closed", "refuses work after close, which may be called twice", closing.closes],
	[
		"abandoned-reading",
		"closes also when readings were broken off or left halfway",
		closing.closesWithoutReaders,
	],
	[
		"reading-at-close",
		"never ends a reading early because of a close: it goes on or rejects",
		closing.endsNoReadingEarly,
	],
	["persistence", "finds everything again after it was closed and opened", reopening.persists, "persistence"],
	[
		"reopened-log",
		"goes on behind everything after each of several reopenings",
		reopening.goesOnAfterEveryReopening,
		"persistence",
	],
	[
		"reopened-streams",
		"tells streams apart whose names are alike after it was opened again",
		reopening.findsStreamsAgain,
		"persistence",
	],
	[
		"reopened-call-order",
		"decides appends to streams of old in the order of the calls, and before a close",
		reopening.decidesInCallOrderAgain,
		"persistence",
	],
	[
		"crash-events",
		"finds after a kill every event whose append was answered",
		crashing.survivesKills,
		"crash",
	],
	[
		"crash-batch",
		"finds after a kill all events of an append that was under way, or none",
		cutBatches.keepsWholeBatchesThroughKills,
		"crash",
	],
];

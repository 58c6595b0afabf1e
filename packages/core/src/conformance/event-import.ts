// The contract of `EventImporter`, as cases: for event stores that a copy can be made into.

import type { EventImporter } from "../ports/event-import.js";
import type { EventStore } from "../ports/event-store.js";
import { type Clause, type ConformanceCase, createCases } from "./case.js";
import * as keeping from "./event-import-keeping.js";
import * as refusing from "./event-import-refusing.js";

export type ImportingStore = EventStore & EventImporter;

export interface EventImportHarness {
	/** Opens the store, empty. Is called once. */
	open(): Promise<ImportingStore>;
	/** Ends the store and opens what it left, as a later process does. */
	reopen?(): Promise<ImportingStore>;
	/** As `reopen`, but the process is killed, an import under way. */
	crash?(): Promise<ImportingStore>;
	/** Removes everything, and closes what was opened last. */
	dispose(): Promise<void>;
}

type SuiteClause = Clause<ImportingStore, EventImportHarness, "reopen" | "crash">;

/** All cases; each makes a harness of its own, empty. */
export function eventImportSuite(makeHarness: () => Promise<EventImportHarness>): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, {
		open: (harness) => harness.open(),
		supports: (need, _store, harness) => harness[need] !== undefined,
	});
}

const CLAUSES: readonly SuiteClause[] = [
	["as-recorded", "keeps every event as it was recorded, and says where", keeping.keepsAsRecorded],
	["log-order", "keeps the order over all streams, in which streams come again", keeping.keepsOrder],
	["stream-order", "reads each stream in the order of its versions", keeping.readsStreams],
	["goes-on", "lets appends go on behind what was taken over", keeping.letsAppendsGoOn],
	["version-gaps", "keeps gaps in the versions of a stream", keeping.keepsGaps],
	["wrong-end", "refuses events for a log that ends elsewhere, and writes nothing", refusing.refusesWrongEnd],
	[
		"passed-versions",
		"refuses a version that its stream has come to, and writes nothing",
		refusing.refusesPassedVersions,
	],
	["arguments", "refuses what no store can keep, and writes nothing", refusing.refusesArguments],
	["one-at-a-time", "lets exactly one of several imports at the same end win", refusing.letsOneWin],
	["reopened", "finds everything again in a later process", keeping.findsAgain, "reopen"],
	[
		"crash",
		"finds after a kill what was answered, and of what was under way the first events or none",
		keeping.survivesKills,
		"crash",
	],
];

// The contract of `CheckpointStore`, as cases. Every store runs them: `storage-fs`, the memory store, yours.

import type { CheckpointStore } from "../ports/checkpoint-store.js";
import { type Clause, type ConformanceCase, createCases } from "./case.js";
import * as names from "./checkpoint-store-names.js";
import * as races from "./checkpoint-store-races.js";
import * as reopening from "./checkpoint-store-reopening.js";
import * as saving from "./checkpoint-store-saving.js";

export interface CheckpointStoreHarness {
	/** Opens the store, empty. Is called once. */
	open(): Promise<CheckpointStore>;
	/** Ends the store and opens what it left, as a later process does. A store without it forgets with its process. */
	reopen?(): Promise<CheckpointStore>;
	/** As `reopen`, but the process is killed. */
	crash?(): Promise<CheckpointStore>;
	/** Removes everything. */
	dispose(): Promise<void>;
}

type SuiteClause = Clause<CheckpointStore, CheckpointStoreHarness, "reopen" | "crash">;

/** All cases; each makes a harness of its own, empty. */
export function checkpointStoreSuite(
	makeHarness: () => Promise<CheckpointStoreHarness>,
): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, {
		open: (harness) => harness.open(),
		supports: (need, _store, harness) => harness[need] !== undefined,
	});
}

const CLAUSES: readonly SuiteClause[] = [
	["never-saved", "knows nothing of a name that was never saved", saving.knowsNoUnsaved],
	["save-and-load", "stands where it was saved last", saving.savesAndLoads],
	[
		"expected",
		"refuses a save that expects another position, says where the name stands, and leaves it there",
		saving.checksExpected,
	],
	["position-zero", "tells position 0 from none", saving.tellsZeroFromNone],
	["same-position", "takes the position where a name stands already", saving.takesSamePosition],
	[
		"no-way-back",
		"never moves backward, also when the expected position is right",
		saving.neverMovesBackward,
	],
	["number-order", "compares positions as numbers, not as text", saving.comparesAsNumbers],
	["large-positions", "keeps every digit of a large position", saving.keepsLargePositions],
	["arguments", "refuses what is no name or no position, and saves nothing", saving.refusesArguments],
	["distinct-names", "tells names apart that are alike", names.tellsNamesApart],
	["names-at-once", "saves many names at the same time, each where it was sent", names.savesManyAtOnce],
	["concurrent-first", "lets exactly one of 50 concurrent first saves of a name win", races.createsOnce],
	["concurrent-move", "lets exactly one of several owners move a name on", races.movesOnce],
	["reopened", "finds every name where it stood in a later process", reopening.findsAgain, "reopen"],
	["crash", "finds after a kill every position whose save resolved", reopening.survivesKills, "crash"],
];

// The contract of `SnapshotStore`, as cases. Every store runs them: `storage-fs`, the memory store, yours.

import type { SnapshotStore } from "../ports/snapshot-store.js";
import { type Clause, type ConformanceCase, createCases } from "./case.js";
import * as cutSaves from "./snapshot-store-cut-saves.js";
import * as loading from "./snapshot-store-loading.js";
import * as reopening from "./snapshot-store-reopening.js";
import * as saving from "./snapshot-store-saving.js";

export interface SnapshotStoreHarness {
	/** Opens the store, empty. Is called once. */
	open(): Promise<SnapshotStore>;
	/** Ends the store and opens what it left, as a later process does. A store without it forgets with its process. */
	reopen?(): Promise<SnapshotStore>;
	/**
	 * As `reopen`, but the process is killed; a save may be under way, and is lost to whoever waits for it. A case may do so
	 * many times. Resolves when nothing of the killed process can be written any more.
	 */
	crash?(): Promise<SnapshotStore>;
	/**
	 * Ends the store, changes a byte of what it keeps under `name`, elsewhere each time, and opens it as a later process
	 * does. Absent: what the store keeps cannot be reached, or mends itself.
	 */
	damage?(name: string): Promise<SnapshotStore>;
	/**
	 * The largest snapshot that the store takes, in bytes of JSON: a mebibyte at least, and no more than can be made and
	 * refused in a test. Absent: there is no limit, or none so low.
	 */
	readonly maxSnapshotBytes?: number;
	/** Removes everything. */
	dispose(): Promise<void>;
}

type Need = "reopen" | "crash" | "damage" | "maxSnapshotBytes";
type SuiteClause = Clause<SnapshotStore, SnapshotStoreHarness, Need>;

/** All cases; each makes a harness of its own, empty. */
export function snapshotStoreSuite(
	makeHarness: () => Promise<SnapshotStoreHarness>,
): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, {
		open: (harness) => harness.open(),
		supports: (need, _store, harness) => harness[need] !== undefined,
	});
}

const CLAUSES: readonly SuiteClause[] = [
	["never-saved", "has nothing under a name that was never saved", loading.knowsNoUnsaved],
	["save-and-load", "gives back every field of a snapshot, as often as it is asked", loading.savesAndLoads],
	["states", "gives back every state that JSON can hold, as it was", loading.keepsStates],
	["large-positions", "keeps every digit of a large position", loading.keepsLargePositions],
	["loads-apart", "keeps a snapshot out of reach of whoever loaded it", loading.keepsLoadsApart],
	["distinct-names", "tells names apart that are alike", loading.tellsNamesApart],
	["replaced", "puts a snapshot in the place of the one before, whatever that was", saving.replaces],
	["taken-at-call", "takes a snapshot as it is when save is called", saving.takesAtCall],
	["last-save", "keeps the last one of many saves at once", saving.keepsLast],
	["whole-meanwhile", "shows the old or the new snapshot while it saves", saving.showsOldOrNew],
	["names-at-once", "saves many names at the same time, each its own snapshot", saving.savesManyAtOnce],
	["arguments", "refuses what is no name, and saves nothing", saving.refusesArguments],
	[
		"too-large",
		"says that a snapshot is too large and how much it takes, and keeps the one before",
		saving.limitsSizes,
		"maxSnapshotBytes",
	],
	["reopened", "finds every snapshot in a later process", reopening.findsAgain, "reopen"],
	["crash", "finds after a kill every snapshot whose save resolved", reopening.survivesKills, "crash"],
	[
		"crash-save",
		"finds the old or the new snapshot when a kill cut a save short",
		cutSaves.findsOldOrNew,
		"crash",
	],
	[
		"damaged",
		"has nothing where bytes were damaged, keeps other names, and takes a new snapshot there",
		reopening.trustsNothingDamaged,
		"damage",
	],
];

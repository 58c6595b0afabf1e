// The contract of `VideoStore`, as cases. Every store runs them: `storage-fs`, the memory store, yours.

import type { VideoStore } from "../ports/video-store.js";
import { type Clause, type ConformanceCase, createCases } from "./case.js";
import * as committing from "./video-store-committing.js";
import * as creating from "./video-store-creating.js";
import * as keys from "./video-store-keys.js";
import * as partials from "./video-store-partials.js";
import * as reading from "./video-store-reading.js";
import * as reopening from "./video-store-reopening.js";
import * as resuming from "./video-store-resuming.js";
import * as writing from "./video-store-writing.js";

export interface VideoStoreHarness {
	/** The store, empty and ready for work. Called once. */
	open(): Promise<VideoStore>;
	/**
	 * Ends the process of the store that was opened last, in good order, and opens what a later process finds. Nothing is
	 * under way meanwhile. Absent: the store forgets everything with its process.
	 */
	reopen?(): Promise<VideoStore>;
	/** As `reopen`, but the process is killed; uploads may be under way, and are lost to whoever holds them. */
	crash?(): Promise<VideoStore>;
	/** Of how many bytes a suspended upload must be for the store to keep some of them. Default 1. */
	readonly minResumableBytes?: number;
	/** Removes everything. */
	dispose(): Promise<void>;
}

type Need = keyof VideoStore["supports"] | "reopen" | "crash";
type SuiteClause = Clause<VideoStore, VideoStoreHarness, Need>;

/** All cases; each makes a harness of its own, empty. */
export function videoStoreSuite(makeHarness: () => Promise<VideoStoreHarness>): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, { open: (harness) => harness.open(), supports: hasNeed });
}

function hasNeed(need: Need, store: VideoStore, harness: VideoStoreHarness): boolean {
	return need === "reopen" || need === "crash" ? harness[need] !== undefined : store.supports[need];
}

const CLAUSES: readonly SuiteClause[] = [
	["invisible-before-commit", "shows nothing of a video before its commit", writing.showsNothingBeforeCommit],
	[
		"commit-and-read",
		"gives back every byte of a committed video, with its length and SHA-256",
		writing.commitsAndReads,
	],
	["no-bytes", "takes chunks without bytes, and a video without any", writing.takesNoBytes],
	["write-order", "writes in the order of the calls, waited for or not", writing.writesInCallOrder],
	["taken-chunks", "keeps a chunk as it was when its write resolved", writing.takesChunks],
	["digest", "says as often as it is asked what was written so far, and goes on", writing.tellsDigests],
	["over", "refuses to work on an upload that is over", writing.refusesWhatIsOver],
	["discard", "leaves nothing of what was discarded, once or twice", writing.discards],
	["ended-once", "changes nothing when an upload is ended that is over", writing.endsOnce],
	["large", "keeps a large video that comes in chunks and is read from any place", writing.keepsLarge],
	["commit-at-once", "shows a video whole or not at all while it is committed", committing.showsAllOrNothing],
	["create-only", "leaves a video alone that is there already, and returns it", creating.createsOnly],
	[
		"concurrent-commits",
		"lets exactly one of 20 concurrent uploads of a key win",
		creating.createsOnceConcurrently,
	],
	["uploads-apart", "keeps uploads apart that are under way at the same time", creating.keepsUploadsApart],
	[
		"kept-beside",
		"leaves a kept video alone when another upload of its key is given up",
		creating.leavesKeptAlone,
	],
	["remove", "removes a video and no other, once or twice, and takes the next one", creating.removes],
	["free-bytes", "says how many more bytes can be kept, or that it does not know", creating.countsFreeBytes],
	["distinct-keys", "tells videos apart whose keys are alike", keys.tellsKeysApart],
	["plain-locations", "puts neither a right to read nor a note into a location", keys.locatesPlainly],
	["offsets", "opens a video from any offset, also at its end and beyond", reading.opensFromOffsets],
	["wrong-offsets", "refuses an offset that is none", reading.refusesOffsets],
	["absent", "says that nothing is there where nothing is", reading.tellsAbsence],
	["readings-apart", "keeps readings apart that are under way at the same time", reading.keepsReadingsApart],
	["immutable", "keeps a video out of reach of whoever read it", reading.keepsVideosImmutable],
	["abandoned-reading", "reads on after many readings were broken off", reading.survivesAbandonedReadings],
	[
		"suspend",
		"finds what a suspended upload left, with its note as it was given",
		resuming.findsSuspended,
		"resume",
	],
	[
		"resume",
		"goes on where a suspended upload ended, and counts and hands over what is held",
		resuming.resumes,
		"resume",
	],
	["resume-again", "goes on as often as an upload is suspended", resuming.resumesAgain, "resume"],
	[
		"resume-note",
		"keeps the note of a resumed upload, whatever it is given then",
		resuming.keepsNotes,
		"resume",
	],
	["partial-invisible", "never shows a partial upload as a video", resuming.hidesPartials, "resume"],
	[
		"live-partial",
		"finds nothing of an upload under way, and leaves it alone",
		resuming.leavesLiveUploads,
		"resume",
	],
	["unusable-token", "starts anew for a token that names nothing", resuming.startsAnew],
	["foreign-token", "starts anew for a token of another key", resuming.refusesForeignTokens, "resume"],
	["token-once", "lets one upload go on with a token, and once", resuming.takesTokensOnce, "resume"],
	["superseded", "removes what an upload left once another begins", partials.supersedes, "resume"],
	["without-note", "keeps nothing of an upload without a note", partials.keepsNothingWithoutNote],
	[
		"remove-partial",
		"removes what an upload left, and nothing else, once or twice",
		partials.removesPartials,
		"resume",
	],
	[
		"distinct-partials",
		"tells partial uploads apart whose keys are alike",
		partials.tellsPartialsApart,
		"resume",
	],
	["reopened-videos", "finds every video in a later process", reopening.findsVideosAgain, "reopen"],
	[
		"reopened-partials",
		"goes on in a later process with what was suspended",
		reopening.findsPartialsAgain,
		"reopen",
		"resume",
	],
	["reopened-removals", "brings nothing back that was removed", reopening.keepsRemoved, "reopen"],
	[
		"crash-videos",
		"finds the videos that were committed before a kill, and no other",
		reopening.survivesKills,
		"crash",
	],
	[
		"crash-commit",
		"finds a video whole or not at all when a kill cut its commit short",
		committing.survivesKillsAllOrNothing,
		"crash",
	],
	[
		"crash-partials",
		"finds of an upload that a kill cut short only what was written",
		reopening.findsTruePrefixes,
		"crash",
		"resume",
	],
	[
		"crash-resumed",
		"finds of a resumed upload that a kill cut short only what was written",
		reopening.findsTruePrefixesOfResumed,
		"crash",
		"resume",
	],
];

// The contract of `VideoSource`, as cases. Every source runs them: the archiver's over HTTP, yours.

import type { VideoSource } from "../ports/video-source.js";
import { type Clause, type ConformanceCase, createCases } from "./case.js";
import * as ending from "./video-source-ending.js";
import * as opening from "./video-source-opening.js";
import * as refusing from "./video-source-refusing.js";
import * as resuming from "./video-source-resuming.js";

/** What not every source, and not every origin, can do. */
export type SourceSupport =
	/** A body can start where an earlier one ended. */
	| "resume"
	/** The origin states an MD5 of the whole object. */
	| "checksums"
	/** Links have a time, and the origin says when it is over. */
	| "expiry"
	/** Links can be forbidden for another reason. */
	| "refusal"
	/** The origin can ask for patience. */
	| "patience"
	/** The source gives up an origin that falls silent, before its answer or in a body. */
	| "silence"
	/** The source takes videos up to a size only. */
	| "limits"
	/** The source goes to some hosts only. */
	| "policy"
	/** The origin can send to another link, and the source goes there. */
	| "redirects";

/** What the origin serves, and how it behaves with each request for it. */
export interface ServedObject {
	readonly bytes: Uint8Array;
	/** The connection breaks after so many bytes of the body. */
	readonly breaksOffAfter?: number;
	/** Nothing comes after so many bytes of the body; the connection stays. */
	readonly silentAfter?: number;
	/** No answer comes; the connection stays. */
	readonly holdsBack?: boolean;
	/** The answer sends to this link, and nothing else comes. */
	readonly redirectsTo?: string;
	/** Asks for so many milliseconds of patience; whole seconds. */
	readonly busyForMs?: number;
	/** The body says itself where it ends; its length is not stated. */
	readonly statesNoLength?: boolean;
	/** Nothing is stated that tells the object from a changed one. */
	readonly statesNoValidator?: boolean;
	/** The checksum that stands in an answer is of the bytes in its body. */
	readonly statesPartChecksum?: boolean;
	/** The whole object comes, whatever part of it was asked for. */
	readonly ignoresRange?: boolean;
	/** The part that was asked for comes, of whatever object it was to be. */
	readonly ignoresCondition?: boolean;
	/** A part starts here, and says so, wherever it was to start. */
	readonly partsStartAt?: number;
}

/**
 * A link that leads to no video: there is no such object; its time is over; it is forbidden; no connection to its
 * address comes about; its address is one that the source does not go to.
 */
export type StrayLink = "absent" | "expired" | "refused" | "unreachable" | "forbidden";

export interface VideoSourceHarness {
	readonly source: VideoSource;
	readonly supports: Readonly<Record<SourceSupport, boolean>>;
	/** Milliseconds of silence after which the source gives up. Cases wait for it; what is to happen at once comes sooner. */
	readonly idleTimeoutMs: number;
	/** Milliseconds after which the source gives up an origin that does not answer, where it supports `silence`. As above. */
	readonly answerTimeoutMs?: number;
	/** The largest video that the source takes, in bytes, where it supports `limits`: a mebibyte at least. */
	readonly maxBytes?: number;
	/**
	 * Serves `object` under `name` from now on, in the place of what was there. Returns a link to it, with a query that
	 * holds a secret.
	 */
	serve(name: string, object: ServedObject): string;
	/** A link, with such a query, that leads to no video. Only of kinds that are supported. */
	strayLink(kind: StrayLink): string;
	/** How many requests came and have neither been answered to the end nor closed. */
	underWay(): number;
	/** Ends everything. */
	dispose(): Promise<void>;
}

type SuiteClause = Clause<VideoSourceHarness, VideoSourceHarness, SourceSupport>;

/** All cases; each makes a harness of its own. */
export function videoSourceSuite(makeHarness: () => Promise<VideoSourceHarness>): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, {
		open: (harness) => harness,
		supports: (need, harness) => harness.supports[need],
	});
}

const CLAUSES: readonly SuiteClause[] = [
	["whole", "gives the whole body in order, and says how long it is", opening.givesWholeBodies],
	["unstated-length", "gives a body whose length nobody stated", opening.givesUnstatedLengths],
	["bodies-apart", "keeps bodies apart that are read at the same time", opening.keepsBodiesApart],
	["checksums", "says what the origin stated of the whole object", opening.tellsChecksums, "checksums"],
	["absent", "says that there is no such object", refusing.tellsAbsence],
	["expired", "says that the link's time is over", refusing.tellsExpiry, "expiry"],
	["refused", "says that the link is forbidden", refusing.tellsRefusal, "refusal"],
	["busy", "says how long the origin wants to be left alone", refusing.tellsPatience, "patience"],
	["not-allowed", "goes nowhere where it may not", refusing.obeysPolicy, "policy"],
	["redirects", "follows the origin to another link", refusing.followsRedirects, "redirects"],
	[
		"redirect-not-allowed",
		"goes nowhere where it may not, though the origin sends it there",
		refusing.obeysPolicyBehindRedirects,
		"redirects",
		"policy",
	],
	["unreachable", "says that nobody could be asked", refusing.tellsUnreachable],
	["bad-links", "never rejects, whatever the link is", refusing.takesBadLinks],
	[
		"too-large",
		"takes nothing that is larger than it may be, said or unsaid",
		refusing.limitsSizes,
		"limits",
	],
	["no-secrets", "says nothing of a link's query, whatever comes of it", refusing.tellsNoSecrets],
	["without-validator", "starts at 0 without a validator", resuming.startsAnewWithoutValidator],
	["unknown-validator", "starts at 0 for a validator that names nothing", resuming.startsAnewForUnknown],
	["resume", "goes on with the same object, and says so", resuming.resumes, "resume"],
	["changed-object", "starts at 0 when the object has changed", resuming.noticesChanges, "resume"],
	["range-ignored", "starts at 0 when the origin sends all of it", resuming.noticesIgnoredRanges, "resume"],
	[
		"condition-ignored",
		"puts no part of a changed object behind the old one",
		resuming.noticesIgnoredConditions,
		"resume",
	],
	["wrong-range", "takes no part for another", resuming.noticesWrongRanges, "resume"],
	[
		"beyond-end",
		"starts at 0 when there is nothing behind the offset",
		resuming.startsAnewBeyondEnd,
		"resume",
	],
	["unvouched", "gives no validator where nothing tells a change", resuming.vouchesForNothing, "resume"],
	["after-breaks", "goes on after each of several breaks", resuming.resumesAfterBreaks, "resume"],
	[
		"part-checksums",
		"takes no checksum of a part for one of the object",
		resuming.refusesPartChecksums,
		"resume",
		"checksums",
	],
	["broke-off", "throws when the body ends early", ending.throwsAtBreaks],
	["unanswered", "gives up an origin that does not answer", ending.endsUnanswered, "silence"],
	["stalled", "throws when the origin falls silent", ending.throwsAtSilence, "silence"],
	["slow-reader", "takes no slow reader for a silent origin", ending.waitsForReaders, "silence"],
	["abort-before", "asks nobody when it was aborted before", ending.heedsEarlyAborts],
	["abort-opening", "opens nothing when it is aborted meanwhile", ending.heedsAbortsWhileOpening],
	["abort-body", "throws in the body when it is aborted, and closes it", ending.heedsAbortsInBodies],
	["abort-unread", "closes a body that nobody reads when it is aborted", ending.closesUnreadBodies],
	["left-early", "closes a body that its reader leaves", ending.closesLeftBodies],
];

// What a recording is told, each command by one who knows: an ingress, the archiver, who looks after the store.

import type { Deadline } from "./deadline.js";
import type { VideoReceipt } from "./events.js";
import type { RecordingId } from "./recording-id.js";

export interface RecordingFacts extends RecordingId {
	readonly gameId: string;
	readonly accountDomain: number;
	readonly accountId: string;
}

export interface RecordingLink {
	readonly downloadUrl: string;
	readonly sealedUrl: string;
	readonly linkFingerprint: string;
	readonly expireTime: number;
	readonly deadline: Deadline;
}

export type RecordingCommand =
	| ReportRecording
	| RecordFailedAttempt
	| ArchiveRecording
	| ExpireLink
	| AbandonArchive
	| RemoveVideo;

/** An authentic, decoded callback; its link sealed. */
export interface ReportRecording {
	readonly _tag: "ReportRecording";
	readonly facts: RecordingFacts;
	readonly version: number;
	readonly action: string;
	readonly link: RecordingLink;
	/** A hash over all nine fields; asked for only when a report contradicts what is known. */
	readonly contentFingerprint: () => string;
}

/** From the archiver, as the three below it. */
export interface RecordFailedAttempt {
	readonly _tag: "RecordFailedAttempt";
	readonly reason: string;
	readonly message: string;
	readonly linkFingerprint: string;
	/** Whether the origin was really asked for this link: our own policy may have been in the way. */
	readonly tried: boolean;
	readonly nextAttemptAt?: number;
}

export interface ArchiveRecording {
	readonly _tag: "ArchiveRecording";
	readonly receipt: VideoReceipt;
	/** The file was found complete, from a process that died before it said so. */
	readonly adopted: boolean;
}

export interface ExpireLink {
	readonly _tag: "ExpireLink";
	readonly cause: "refused" | "deadline";
	readonly message: string;
	/** Fingerprints of the links that were really tried just now; a link that never was keeps the recording open. */
	readonly tried: readonly string[];
}

export interface AbandonArchive {
	readonly _tag: "AbandonArchive";
	readonly cause: string;
	readonly message: string;
	readonly tried: readonly string[];
}

/** The video that was kept is no longer as its receipt says. From who looks after the store. */
export interface RemoveVideo {
	readonly _tag: "RemoveVideo";
	/** Ignored unless the receipt names it. */
	readonly location: string;
	readonly cause: "missing" | "damaged";
	readonly message: string;
}

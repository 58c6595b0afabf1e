// What a comparison of the log with the files of videos comes to.

import type { StreamName } from "@reelkeep/core/ports";

/** The log says that a video is kept, and there is no file. */
export interface MissingVideo {
	readonly _tag: "Missing";
	/** A path below the data directory. */
	readonly location: string;
	readonly stream: StreamName;
	/** When the last of its links dies; UTC milliseconds. */
	readonly deadline: number;
}

/** What lies under a video's name is not what its receipt says, cannot be read, or is no file. */
export interface DamagedVideo {
	readonly _tag: "Damaged";
	readonly location: string;
	/** Of a recording that the log has. */
	readonly stream?: StreamName;
	/** As of a missing one; 0: there is none. */
	readonly deadline: number;
	/** Whether the log says that it is kept. `false`: it is no file, or not the one that was removed, and in the way of the video. */
	readonly isKept: boolean;
	/** `false`: a directory, a pipe, a link to nothing. */
	readonly isFile: boolean;
	/** For people. */
	readonly problem: string;
}

/** A video is there whole, and the log does not say that it is kept. */
export interface UntoldVideo {
	readonly _tag: "Untold";
	readonly location: string;
	readonly bytes: number;
	/** `pending`: the archiver takes it as soon as it looks. `unknown`: the log has no such recording. */
	readonly state: "pending" | "expired" | "abandoned" | "unknown";
	/** Of a recording that the log has. */
	readonly stream?: StreamName;
}

/** What an upload left that does not serve to go on with a recording that is pending. */
export interface Leftover {
	readonly _tag: "Leftover";
	/** Below the data directory. */
	readonly files: readonly string[];
	/** Of these; 0 where they cannot be read. */
	readonly bytes: number;
	/**
	 * - `rested`: its recording came to rest
	 * - `kept`: its video is there whole
	 * - `unknown`: the log has no such recording
	 * - `useless`: nothing says how much of it is sound
	 * - `unreadable`: nobody can tell
	 */
	readonly why: "rested" | "kept" | "unknown" | "useless" | "unreadable";
	readonly stream?: StreamName;
}

export type VideoFinding = MissingVideo | DamagedVideo | UntoldVideo | Leftover;

export interface VideoInspection {
	/** Somebody runs on the directory: an upload may be under way. */
	readonly isOwned: boolean;
	/** The last position of the log that it was compared with; `0`: it is empty. */
	readonly position: string;
	readonly recordings: number;
	/** How many of these the log says to be kept here, and how many in another store. */
	readonly archived: number;
	readonly archivedElsewhere: number;
	/** The files of whole videos, and their bytes. */
	readonly files: number;
	readonly bytes: number;
	/** How many videos were read and compared with their receipts. */
	readonly hashed: number;
	/** Uploads of pending recordings that will be gone on with, or are under way. */
	readonly unfinished: number;
	readonly findings: readonly VideoFinding[];
}

/**
 * Whether a finding is more than what any crash may leave and the next start or attempt settles by itself. With an owner,
 * what looks left over may be in use.
 */
export function isWrongFinding(finding: VideoFinding, isOwned: boolean): boolean {
	switch (finding._tag) {
		case "Missing":
		case "Damaged":
			return true;
		case "Untold":
			return finding.state !== "pending";
		case "Leftover":
			return !isOwned && finding.why !== "useless" && finding.why !== "kept";
	}
}

// Notices: what goes on right now and is no fact for the log. Heard in this process only, by who listens at that moment.

import type { StreamName } from "./event-store.js";

/** A recording's video may be lost unless somebody acts. Told once for each of its links and reasons. */
export interface RecordingAtRisk {
	readonly type: "recordingAtRisk";
	readonly stream: StreamName;
	/** Of its link. */
	readonly host: string;
	/** When its last link dies; UTC milliseconds. */
	readonly deadline: number;
	/**
	 * - `failing`: its last try failed, and the deadline comes near
	 * - `overload`: by the measured bandwidth there is no time left for it
	 */
	readonly reason: "failing" | "overload";
	/** For people; names no more of a link than its host. */
	readonly message: string;
}

/** How far a download has come: when it begins, now and then, and when it ends. */
export interface ArchiveProgress {
	readonly type: "archiveProgress";
	readonly stream: StreamName;
	readonly host: string;
	readonly phase: "started" | "running" | "ended";
	/** Held so far, those of earlier tries included. */
	readonly bytes: number;
	/** As far as the origin said it. */
	readonly totalBytes?: number;
	/** Over the last seconds. */
	readonly bytesPerSecond: number;
	/** Until it is complete, at this pace; milliseconds. */
	readonly remainingMs?: number;
	/** With `ended`: `archived`, or what else came of this try. */
	readonly outcome?: string;
}

export type Notice = RecordingAtRisk | ArchiveProgress;
export type NoticeType = Notice["type"];

export interface Notices {
	/** Tells who listens. Never throws. */
	emit(notice: Notice): void;
}

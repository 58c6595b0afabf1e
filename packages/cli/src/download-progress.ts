// What is being downloaded right now, folded from the archiver's notices. In memory only: it is gone with the process.

import type { ArchiveProgress, StreamName } from "@reelkeep/core/ports";

/** One download under way. */
export interface Download {
	readonly stream: StreamName;
	readonly host: string;
	/** Held so far, those of earlier tries included. */
	readonly bytes: number;
	/** `undefined`: the origin has not said it. */
	readonly totalBytes: number | undefined;
	readonly bytesPerSecond: number;
	/** Milliseconds. */
	readonly remainingMs: number | undefined;
}

export interface ProgressSnapshot {
	/** In the order in which they began. */
	readonly downloads: readonly Download[];
	/** Tries that ended with a video that is kept, since the start. */
	readonly kept: number;
	/** Tries that failed; a later one may have kept the video. */
	readonly failed: number;
}

export interface DownloadProgress {
	apply(notice: ArchiveProgress): void;
	snapshot(): ProgressSnapshot;
}

/** What ended well enough without a video: it was overtaken by another event, made room for others, or was stopped. */
const NEITHER: ReadonlySet<string> = new Set(["overtaken", "gaveway", "stopped"]);

/** Makes the fold. Notices that are missed (of a start, say) do no harm: each one tells all of its download. */
export function createDownloadProgress(): DownloadProgress {
	const downloads = new Map<StreamName, Download>();
	let kept = 0;
	let failed = 0;
	return {
		apply({ stream, host, phase, bytes, totalBytes, bytesPerSecond, remainingMs, outcome }) {
			if (phase !== "ended") {
				downloads.set(stream, { stream, host, bytes, totalBytes, bytesPerSecond, remainingMs });
				return;
			}
			downloads.delete(stream);
			if (outcome === "archived") kept += 1;
			else if (!NEITHER.has(outcome ?? "")) failed += 1;
		},
		snapshot: () => ({ downloads: [...downloads.values()], kept, failed }),
	};
}

// How far the downloads have come, told to who listens: when one begins, now and then, and when it ends.

import type { ArchiveProgress, Clock, Notices } from "@reelkeep/core/ports";
import type { PendingRecording } from "./pending.js";

/** Often enough for a bar that moves. */
const TELL_EVERY_MS = 250;
/** The pace is over about so long. */
const PACE_MS = 3_000;

export interface DownloadProgress {
	opened(size: { readonly totalBytes?: number; readonly heldBytes: number }): void;
	received(bytes: number): void;
	/** Only what was begun is said to have ended. */
	ended(outcome: string): void;
}

export function createDownloadProgress(
	{ notices, clock }: { readonly notices: Notices; readonly clock: Clock },
	{ stream, host }: PendingRecording,
): DownloadProgress {
	let bytes = 0;
	let totalBytes: number | undefined;
	let hasBegun = false;
	let bytesPerSecond = 0;
	let toldAt = 0;
	let sinceTold = 0;

	const tell = (phase: ArchiveProgress["phase"], outcome?: string): void => {
		const left = totalBytes === undefined ? undefined : Math.max(totalBytes - bytes, 0);
		const canTell = left !== undefined && bytesPerSecond > 0;
		notices.emit({
			type: "archiveProgress",
			stream,
			host,
			phase,
			bytes,
			...(totalBytes === undefined ? {} : { totalBytes }),
			bytesPerSecond: Math.round(bytesPerSecond),
			...(canTell ? { remainingMs: Math.round((left * 1_000) / bytesPerSecond) } : {}),
			...(outcome === undefined ? {} : { outcome }),
		});
	};
	const measure = (now: number): void => {
		const elapsedMs = Math.max(now - toldAt, 1);
		const weight = bytesPerSecond === 0 ? 1 : Math.min(1, elapsedMs / PACE_MS);
		bytesPerSecond += ((sinceTold * 1_000) / elapsedMs - bytesPerSecond) * weight;
		toldAt = now;
		sinceTold = 0;
	};
	return {
		opened(size) {
			bytes = size.heldBytes;
			totalBytes = size.totalBytes;
			toldAt = clock.now();
			hasBegun = true;
			tell("started");
		},
		received(count) {
			bytes += count;
			sinceTold += count;
			const now = clock.now();
			if (Math.abs(now - toldAt) < TELL_EVERY_MS) return;
			measure(now);
			tell("running");
		},
		ended(outcome) {
			if (hasBegun) tell("ended", outcome);
		},
	};
}

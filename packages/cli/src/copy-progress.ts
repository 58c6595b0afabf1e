// How far a copy is, told to the display that downloads have: a bar for each part that is under way.

import type { ProgressDisplay } from "./progress-display.js";

/** A display draws no more often. */
const INTERVAL_MS = 200;

/** Of one part: the log, or one video. */
interface PartProgress {
	/** Bytes that were done now. `share`: how much of the part is done, from 0 to 1, where its size is not known. Throws the signal's reason. */
	add(bytes: number, share?: number): void;
	/** `isKept`: it is a video that was copied. */
	end(isKept?: boolean): void;
}

export interface CopyProgress {
	/** `name` says what it is; `stream` tells videos apart. Throws the signal's reason. */
	begin(name: string, stream: string, totalBytes?: number): PartProgress;
}

export function createCopyProgress(
	display: Pick<ProgressDisplay, "apply">,
	signal: AbortSignal,
): CopyProgress {
	return {
		begin(host, stream, totalBytes) {
			signal.throwIfAborted();
			const startedAt = Date.now();
			let bytes = 0;
			let total = totalBytes;
			let toldAt = startedAt;
			const tell = (phase: "started" | "running" | "ended", outcome?: string): void => {
				const bytesPerSecond = (bytes * 1000) / Math.max(Date.now() - startedAt, 1);
				const left = total === undefined ? undefined : Math.max(total - bytes, 0);
				display.apply({
					type: "archiveProgress",
					stream,
					host,
					phase,
					bytes,
					bytesPerSecond,
					...(total === undefined ? {} : { totalBytes: total }),
					...(left === undefined || bytes === 0 ? {} : { remainingMs: (left * 1000) / bytesPerSecond }),
					...(outcome === undefined ? {} : { outcome }),
				});
			};
			tell("started");
			return {
				add(more, share = 0) {
					bytes += more;
					if (share > 0) total = Math.max(bytes, Math.round(bytes / share));
					signal.throwIfAborted();
					if (Date.now() - toldAt < INTERVAL_MS) return;
					toldAt = Date.now();
					tell("running");
				},
				end: (isKept = false) => tell("ended", isKept ? "archived" : "stopped"),
			};
		},
	};
}

/** How far `position` is between two others: positions grow with events, though not evenly. */
export function shareOf(position: string, start = "0", end = position): number {
	const length = Number(end) - Number(start);
	return length > 0 ? Math.min(Math.max((Number(position) - Number(start)) / length, 0), 1) : 0;
}

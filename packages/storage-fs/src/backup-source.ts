// What a backup takes of the event log: all that may have been acknowledged.

import { sizeIfPresent } from "./durable-files.js";
import { type LogSource, loadLog } from "./load-log.js";
import { segmentPath, type Watermark } from "./log-files.js";
import type { LogIndex } from "./log-index.js";
import type { Ownership } from "./ownership.js";

/**
 * The index of what is copied: what the live owner says to be durable; without one all that is sound, as the next owner
 * would take it: nobody can tell which of it was acknowledged.
 * *Errors*: rejects with a `StoreFault`: `corrupt`, or `io` when there is an owner that does not answer.
 */
export async function loadLogToCopy(source: LogSource, ownership: Ownership): Promise<LogIndex> {
	const { fileSystem, directory, files } = source;
	for (;;) {
		const told = await askOwner(ownership, directory);
		if (told !== undefined) return (await loadLog(source, told)).index;
		const { index, bytes } = await loadLog(source);
		const { segment } = index.active;
		// Else a power cut could put the store behind its backup. The copy does not depend on it.
		await files.use(segment, (file) => file.datasync()).catch(() => undefined);
		const isOwned = (await askOwner(ownership, directory)) !== undefined;
		// An owner that came and went meanwhile may have undone a failed write of its own, and with it the last segment.
		await files.reset();
		const size = (await sizeIfPresent(fileSystem, segmentPath(directory, segment))) ?? 0;
		if (!isOwned && size >= bytes) return index;
	}
}

/** How far the live owner says that the log is durable; `undefined` when there is none. */
async function askOwner(ownership: Ownership, directory: string): Promise<Watermark | undefined> {
	for (;;) {
		const owner = await ownership.connect(directory);
		if (owner === undefined) return undefined;
		try {
			const durable = await owner.durable();
			// One that went while we asked may have a successor.
			if (durable !== undefined) return durable;
		} finally {
			owner.close();
		}
	}
}

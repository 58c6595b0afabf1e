// A file that is read from several places: closing waits for what is under way, so that no descriptor is used after
// it was closed, when its number may already stand for another file.

import { storeFault } from "@reelkeep/core/ports";
import { toFault } from "./durable-files.js";
import type { OpenFile } from "./file-system.js";

/** Wraps `file`. Reads after `close` reject with `closed`, and failed reads with `io`; the rest is passed through. */
export function createSharedFile(file: OpenFile): OpenFile {
	const underWay = new Set<Promise<unknown>>();
	let closing: Promise<void> | undefined;
	const during = async <T>(work: Promise<T>): Promise<T> => {
		underWay.add(work);
		try {
			return await work;
		} finally {
			underWay.delete(work);
		}
	};
	return {
		async read(target, offset) {
			if (closing !== undefined) throw storeFault("closed", "the event log was closed while it was read");
			try {
				return await during(file.read(target, offset));
			} catch (error) {
				throw toFault(error, "reading the event log");
			}
		},
		write: (bytes, offset) => file.write(bytes, offset),
		datasync: () => file.datasync(),
		truncate: (bytes) => file.truncate(bytes),
		status: () => file.status(),
		close() {
			closing ??= Promise.allSettled(underWay).then(() => file.close());
			return closing;
		},
	};
}

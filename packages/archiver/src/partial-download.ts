// What an earlier download of a recording's video left, as far as it can be gone on with.

import type { StreamName, VideoStore } from "@reelkeep/core/ports";
import { type DownloadNote, readNote } from "./download-note.js";

export interface PartialDownload extends DownloadNote {
	readonly resumeToken: string;
	/** Held already. */
	readonly bytes: number;
	/** Where to ask the origin to start. */
	readonly askFrom: number;
}

/** `undefined`: nothing that could be gone on with. Rejects with the store's `StoreFault`. */
export async function findPartialDownload(
	videoStore: VideoStore,
	stream: StreamName,
): Promise<PartialDownload | undefined> {
	if (!videoStore.supports.resume) return undefined;
	const partial = await videoStore.findPartial(stream);
	const note = partial && readNote(partial.note);
	if (partial === undefined || note === undefined || partial.bytes === 0) return undefined;
	const { resumeToken, bytes } = partial;
	if (note.totalBytes !== undefined && bytes > note.totalBytes) return undefined;
	const askFrom = offsetToAsk(bytes, note.totalBytes);
	// An answer from the beginning is what any origin gives, of whatever object.
	return askFrom === 0 ? undefined : { ...note, resumeToken, bytes, askFrom };
}

/**
 * Where to go on when `bytes` are held. When all are, the last one is asked for again: a range behind the end is refused,
 * and only an answer says what the checksums are.
 */
export function offsetToAsk(bytes: number, totalBytes: number | undefined): number {
	return bytes === totalBytes ? bytes - 1 : bytes;
}

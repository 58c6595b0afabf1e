// Fills a transfer until its body ends, over as many connections as it takes.

import {
	type Clock,
	isSourceFault,
	type OpenedVideo,
	sourceFault,
	type VideoSource,
	type VideoUnavailable,
} from "@reelkeep/core/ports";
import { NoRoom } from "./disk-space.js";
import { offsetToAsk } from "./partial-download.js";
import { type Transfer, VideoStoreFailure } from "./transfer.js";
import type { DownloadedVideo } from "./verify-video.js";

/** A connection that brought this much before it broke is worth another one at once. */
const WORTHWHILE_BYTES = 256 * 1024;
/** Connections of one attempt; after these it counts as failed, and the next one goes on. */
const MAX_CONNECTIONS = 16;
const REOPEN_AFTER_MS = 250;

export interface FillDeps {
	readonly source: VideoSource;
	readonly clock: Clock;
	/** From 0 up to, not including, 1. */
	readonly random: () => number;
}

export type Filled =
	/** `opened`: what the last connection said. */
	| { readonly _tag: "Filled"; readonly opened: DownloadedVideo }
	/** The object is another one by now. */
	| { readonly _tag: "Changed" }
	| VideoUnavailable;

/**
 * Writes the body of `opened`, but for its first `skip` bytes, into `transfer`; a connection that breaks is followed by
 * another, while each brings the video further.
 * *Errors*: rejects with the `SourceFault` of the last connection, with a `VideoStoreFailure`, or with `NoRoom`.
 */
export async function fillTransfer(
	deps: FillDeps,
	transfer: Transfer,
	options: {
		readonly link: string;
		readonly opened: DownloadedVideo;
		readonly skip: number;
		readonly signal: AbortSignal;
	},
): Promise<Filled> {
	const { link, signal } = options;
	const { checksums, isMd5Etag } = options.opened;
	let { opened, skip } = options;
	for (let connections = 1; ; connections += 1) {
		const before = transfer.bytes();
		try {
			await transfer.fill(opened.body, skip);
			return { _tag: "Filled", opened };
		} catch (thrown) {
			const error = faultOf(thrown);
			const hasGained = transfer.bytes() - before >= WORTHWHILE_BYTES;
			const isWorthwhile = hasGained && connections < MAX_CONNECTIONS && !signal.aborted;
			if (!isWorthwhile || !canGoOn(error, opened)) throw error;
		}
		await deps.clock.sleep(Math.ceil(REOPEN_AFTER_MS * (0.5 + deps.random())), signal);
		const { validator = "", totalBytes } = opened;
		const offset = offsetToAsk(transfer.bytes(), totalBytes);
		const again = await deps.source.open(link, { offset, validator, signal });
		if (again._tag === "Unavailable") return again;
		const isOther = totalBytes !== undefined && again.totalBytes !== totalBytes;
		if (again.offset !== offset || isOther) return { _tag: "Changed" };
		// The same object, and so the same checksums: these are made of its bytes since the first one.
		opened = {
			...again,
			...typeOf(again, opened),
			checksums,
			...(isMd5Etag === undefined ? {} : { isMd5Etag }),
		};
		skip = transfer.bytes() - offset;
	}
}

/** A part need not repeat what its asker knows (RFC 9110, 15.3.7). */
function typeOf({ contentType }: OpenedVideo, before: OpenedVideo): Pick<OpenedVideo, "contentType"> {
	const known = contentType ?? before.contentType;
	return known === undefined ? {} : { contentType: known };
}

function canGoOn(error: unknown, { validator }: OpenedVideo): boolean {
	return validator !== undefined && isSourceFault(error) && error.reason !== "too-large";
}

/** Whatever another source's body throws becomes a fault of the source, without its words: they may hold a link. */
function faultOf(thrown: unknown): unknown {
	const isTold = isSourceFault(thrown) || thrown instanceof VideoStoreFailure || thrown instanceof NoRoom;
	return isTold ? thrown : sourceFault("broke-off", "the video's source failed");
}

// One video on its way into the store: its upload, and what is made of its bytes on the way.

import type { Mp4Probe } from "@reelkeep/core";
import { isStoreFault, type OpenedVideo, type VideoStore, type VideoUpload } from "@reelkeep/core/ports";
import type { BlockWriters } from "./block-writer.js";
import { type Checksums, createChecksums } from "./checksums.js";
import { NoRoom, type Room } from "./disk-space.js";
import { writeNote } from "./download-note.js";
import { HEAD_BYTES, type ReceivedVideo } from "./verify-video.js";

/** Looks at a video while it comes. */
export interface Mp4ProbeStream {
	update(chunk: Uint8Array): void;
	result(): Mp4Probe | Promise<Mp4Probe>;
}

export interface Transfer {
	readonly upload: VideoUpload;
	/** How many bytes the upload holds. */
	bytes(): number;
	/**
	 * Adds what `body` yields, but for its first `skip` bytes.
	 * *Errors*: rejects with what the body throws, with a `VideoStoreFailure`, or with `NoRoom`.
	 */
	fill(body: AsyncIterable<Uint8Array>, skip?: number): Promise<void>;
	/** What was received as a whole. Called once. */
	received(): Promise<ReceivedVideo>;
	/** Nothing more is filled in. Idempotent. */
	end(): void;
}

export interface TransferOptions {
	readonly videoStore: VideoStore;
	readonly stream: string;
	readonly opened: OpenedVideo;
	readonly blocks: BlockWriters;
	/** Where the bytes go. */
	readonly room: Room;
	/** Of the partial upload that is gone on with. */
	readonly resumeToken?: string | undefined;
	/** Looks at the bytes as an MP4. */
	readonly probe?: Mp4ProbeStream | undefined;
	/** Told how many bytes have come, each time. */
	readonly onBytes: (count: number) => void;
}

/** What the video store threw: told apart from what the source did. */
export class VideoStoreFailure extends Error {
	constructor(cause: unknown) {
		super(isStoreFault(cause) ? cause.message : "the video store failed", { cause });
	}
}

/** Runs one call of the video store. Rejects with a `VideoStoreFailure`. */
export async function inStore<Result>(act: () => Promise<Result>): Promise<Result> {
	try {
		return await act();
	} catch (error) {
		throw new VideoStoreFailure(error);
	}
}

/** Begins an upload, or goes on with one: then every byte that is held goes through the checksums again (ADR 0024). */
export async function beginTransfer(options: TransferOptions): Promise<Transfer> {
	const { videoStore, stream, opened, room, resumeToken, probe, onBytes } = options;
	const checksums = await createChecksums(opened.checksums);
	let head = new Uint8Array();
	const look = (chunk: Uint8Array): void => {
		checksums.update(chunk);
		probe?.update(chunk);
		if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
	};
	const upload = await inStore(() =>
		videoStore.begin(
			stream,
			resumeToken === undefined ? noteOf(opened) : { resume: { resumeToken, onBytes: look } },
		),
	);
	let bytes = upload.offset;
	const blocks = options.blocks.begin(async (block) => {
		const short = await inStore(() => room.makeRoom(block.length));
		if (short !== undefined) throw new NoRoom(short);
		await inStore(() => upload.write(block));
		bytes += block.length;
		room.used(block.length);
		onBytes(block.length);
	});
	return {
		upload,
		bytes: () => bytes,
		async fill(body, skip = 0) {
			let toSkip = skip;
			try {
				for await (const arrived of body) {
					const chunk = toSkip === 0 ? arrived : arrived.subarray(toSkip);
					toSkip = Math.max(toSkip - arrived.length, 0);
					look(chunk);
					await blocks.add(chunk);
				}
			} finally {
				// Also when the body breaks: what came is gone on with.
				await blocks.flush();
			}
		},
		end: blocks.end,
		received: () => receivedOf(upload, { checksums, head, probe }),
	};
}

async function receivedOf(
	upload: VideoUpload,
	made: {
		readonly checksums: Checksums;
		readonly head: Uint8Array;
		readonly probe: Mp4ProbeStream | undefined;
	},
): Promise<ReceivedVideo> {
	const digest = await inStore(() => upload.digest());
	const mp4 = await made.probe?.result();
	return {
		...digest,
		head: made.head,
		checksums: made.checksums.digest(),
		...(mp4 === undefined ? {} : { mp4 }),
	};
}

/** Without a validator nothing tells later whether it is the same object still: such an upload is not resumed. */
function noteOf({ validator, totalBytes }: OpenedVideo): { readonly note?: string } {
	if (validator === undefined) return {};
	return { note: writeNote({ validator, ...(totalBytes === undefined ? {} : { totalBytes }) }) };
}

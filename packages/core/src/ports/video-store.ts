// Where the bytes of videos are kept. An upload is written, then committed under its final name exactly once.

/** Names one video: the recording's stream name. The store derives file names or object keys from it. */
export type VideoKey = string;

export interface VideoStore {
	readonly supports: {
		/** Bytes of an upload that ended without a commit can be gone on with, also by a later process. */
		readonly resume: boolean;
	};

	/**
	 * Starts the upload of `key`, or goes on with the partial one that `resume` names; an unusable token starts anew. What
	 * was kept of an earlier upload of `key` and is not resumed is removed.
	 * *Promise*: nothing is visible under the final name before `commit`.
	 */
	begin(key: VideoKey, options?: BeginUploadOptions): Promise<VideoUpload>;

	/**
	 * What an upload of `key` left that ended without a commit: suspended, or cut short with its process. `undefined`: there
	 * is nothing, or it is being written. Reads none of its bytes.
	 */
	findPartial(key: VideoKey): Promise<PartialVideo | undefined>;

	/** Removes what `findPartial` would find; nothing happens when there is none. */
	removePartial(key: VideoKey): Promise<void>;

	/** How many more bytes can be kept; `undefined`: nobody knows, or there is no end. */
	freeBytes(): Promise<number | undefined>;

	/** What is kept under the final name of `key`, checked against nothing but the store; `undefined` when absent. */
	stat(key: VideoKey): Promise<StoredVideo | undefined>;

	/**
	 * The bytes at `location`, from `offset` on; at the end or behind it, none.
	 * *Errors*: reading rejects with a `StoreFault` when no video is there, with a `RangeError` when `offset` is no whole
	 * number from 0 up.
	 */
	open(location: string, options?: { readonly offset?: number }): AsyncIterable<Uint8Array>;

	/** Removes a kept video; nothing happens when there is none. */
	remove(location: string): Promise<void>;
}

export interface BeginUploadOptions {
	/**
	 * Kept with the bytes, for who goes on with them later: what they are bytes of. Text without a secret, at most 4 KiB.
	 * Without it a new upload cannot be resumed; a resumed upload keeps its note, whatever is given here.
	 */
	readonly note?: string;
	readonly resume?: {
		/** From `findPartial`. */
		readonly resumeToken: string;
		/** Called with every byte that is held already, in order, before `begin` resolves: for hashes that the store does not make. */
		readonly onBytes?: (chunk: Uint8Array) => void;
	};
}

export interface PartialVideo {
	/** Hand it to `begin`. */
	readonly resumeToken: string;
	/** How many bytes of it are surely as they were written. */
	readonly bytes: number;
	/** As it was given to the `begin` of its first byte. */
	readonly note: string;
}

export interface VideoUpload {
	/** How many bytes are held already; 0 unless resumed. */
	readonly offset: number;
	/** Adds bytes at the end. Resolves when more may be written. */
	write(chunk: Uint8Array): Promise<void>;
	/** Bytes and SHA-256 of everything written so far, so that the caller verifies *before* it commits. */
	digest(): Promise<VideoDigest>;
	/**
	 * Makes what was written durable under its final name.
	 * *Promise*: atomic: at every moment, also after a kill, the video is absent or whole. Create-only: a video that is
	 * already there is left alone and returned as `AlreadyStored`.
	 */
	commit(): Promise<CommitResult>;
	/** Gives up and removes what was written, and no kept video. Changes nothing once the upload is over. */
	discard(): Promise<void>;
	/** Lets go of the upload but keeps the bytes for a later resume, where supported and noted; else discards. Changes nothing once it is over. */
	suspend(): Promise<void>;
}

export interface VideoDigest {
	readonly bytes: number;
	/** Lower-case hex. */
	readonly sha256: string;
}

export interface StoredVideo extends VideoDigest {
	/**
	 * Where the store keeps it, as events tell it for ever. A `videoLocation`, below whatever the store was given, leaves it
	 * true when the videos are moved: to another folder, bucket or store. Holds no secret.
	 */
	readonly location: string;
}

export type CommitResult =
	| { readonly _tag: "Committed"; readonly video: StoredVideo }
	| { readonly _tag: "AlreadyStored"; readonly video: StoredVideo };

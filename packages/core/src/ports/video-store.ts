// Where the bytes of videos are kept. An upload is written, then committed under its final name exactly once.

/** Names one video: the recording's stream name. The store derives file names or object keys from it. */
export type VideoKey = string;

export interface VideoStore {
	readonly supports: {
		/** `begin` with a resume token goes on where an interrupted upload stopped. */
		readonly resume: boolean;
	};

	/**
	 * Starts the upload of `key`, or goes on with the one that `resumeToken` names; an unusable token starts anew.
	 * *Promise*: nothing is visible under the final name before `commit`.
	 */
	begin(key: VideoKey, options?: { readonly resumeToken?: string }): Promise<VideoUpload>;

	/** What is kept under the final name of `key`, checked against nothing but the store; `undefined` when absent. */
	stat(key: VideoKey): Promise<StoredVideo | undefined>;

	/** The bytes at `location`, from `offset` on. Rejects with a `StoreFault` when there are none. */
	open(location: string, options?: { readonly offset?: number }): AsyncIterable<Uint8Array>;

	/** Removes a kept video; nothing happens when there is none. */
	remove(location: string): Promise<void>;
}

export interface VideoUpload {
	/** How many bytes are held already; 0 unless resumed. */
	readonly offset: number;
	/** Hand this to a later `begin`; it carries what the hashes need. `undefined`: this upload cannot be resumed. */
	readonly resumeToken: string | undefined;
	/** Adds bytes at the end. Resolves when more may be written. */
	write(chunk: Uint8Array): Promise<void>;
	/** Bytes and SHA-256 of everything written so far, so that the caller verifies *before* it commits. */
	digest(): Promise<VideoDigest>;
	/**
	 * Makes what was written durable under its final name.
	 * *Promise*: create-only: a video that is already there is left alone and returned as `AlreadyStored`.
	 */
	commit(): Promise<CommitResult>;
	/** Gives up and removes what was written. */
	discard(): Promise<void>;
	/** Lets go of the upload but keeps the bytes for a later resume, where supported; else discards. */
	suspend(): Promise<void>;
}

export interface VideoDigest {
	readonly bytes: number;
	/** Lower-case hex. */
	readonly sha256: string;
}

export interface StoredVideo extends VideoDigest {
	/** Where the store keeps it: a path inside the data directory, `s3://bucket/key`, … Holds no secret. */
	readonly location: string;
}

export type CommitResult =
	| { readonly _tag: "Committed"; readonly video: StoredVideo }
	| { readonly _tag: "AlreadyStored"; readonly video: StoredVideo };

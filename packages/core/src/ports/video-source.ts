// Where the bytes of a video come from: HTTP by default.

export interface VideoSource {
	/**
	 * Opens the video behind `link`.
	 * *Errors*: an answer that is not the video is a value. Never rejects but for a programmer's mistake.
	 * *Promise*: bounded: connection, answer and idle time; never reaches an address that policy forbids.
	 */
	open(link: string, options: OpenVideoOptions): Promise<OpenVideoResult>;
}

export interface OpenVideoOptions {
	/**
	 * Ask for the bytes from here on, of the object that `validator` names. The answer says where it really starts: here, or
	 * at 0. Behind the object's last byte there is nothing to ask for: it may start at either.
	 */
	readonly offset?: number;
	/** What the bytes before `offset` came with; without it a body starts at 0. */
	readonly validator?: string;
	readonly signal: AbortSignal;
}

export type OpenVideoResult = OpenedVideo | VideoUnavailable;

export interface OpenedVideo {
	readonly _tag: "Opened";
	/**
	 * Where `body` starts in the object: the offset that was asked for, when the origin vouched that it is the same object
	 * still; else 0.
	 */
	readonly offset: number;
	/**
	 * Hand it back to go on with this very object; absent: nothing tells it from a changed one, so it cannot be resumed.
	 * Stored beside the bytes: as every field but `body` it holds no part of the link's query.
	 */
	readonly validator?: string;
	/** The whole object's length when the origin said it. */
	readonly totalBytes?: number;
	readonly etag?: string;
	readonly contentType?: string;
	/** Checksums of the whole object that the origin stated. */
	readonly checksums: OriginChecksums;
	/**
	 * The bytes. Throws a `SourceFault` when they end early, also when they are aborted. A chunk may be overwritten once the
	 * next one is asked for: who keeps it copies it.
	 */
	readonly body: AsyncIterable<Uint8Array>;
}

export interface OriginChecksums {
	/** Lower-case hex; from an ETag that is an MD5. */
	readonly md5?: string;
	/** OSS's `x-oss-hash-crc64ecma`: CRC-64/XZ as a decimal string. */
	readonly crc64?: string;
}

export interface VideoUnavailable {
	readonly _tag: "Unavailable";
	/**
	 * - `expired`: the origin says the link's time is over
	 * - `refused`: the origin forbids it for another reason
	 * - `not-found`: there is no such object
	 * - `not-allowed`: our own policy forbids the host or its address
	 * - `too-large`: it states more bytes than may be kept
	 * - `busy`: the origin asks for patience
	 * - `unreachable`: nobody was asked: its name is not found, or no connection comes about
	 * - `failed`: a connection that breaks, time-out, an answer that makes no sense
	 */
	readonly reason:
		| "expired"
		| "refused"
		| "not-found"
		| "not-allowed"
		| "too-large"
		| "busy"
		| "unreachable"
		| "failed";
	/** For people; never holds the link's query. */
	readonly message: string;
	readonly retryAfterMs?: number;
}

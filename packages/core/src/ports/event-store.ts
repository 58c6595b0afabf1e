// The event store port: streams of recorded events, and one order over all of them.
// Implemented by every `storage-*`; the suite in `@reelkeep/core/conformance` is its contract.

/** A value that survives `JSON.parse(JSON.stringify(value))`. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
	readonly [key: string]: Json | undefined;
}

/** The name of one stream, e.g. `recording-<64 hex digits>`. ASCII, at most 128 characters. */
export type StreamName = string;

/** How many events a stream holds. 0: there is no stream. */
export type StreamVersion = number;

/**
 * A place in the order over all streams. Opaque: only compare, with `comparePositions`; gaps are allowed.
 * *Shape*: a decimal string without leading zeros, so that it is the same in JSON.
 */
export type Position = string & { readonly __position: unique symbol };

/** What an append expects of its stream: exactly this version, no stream at all, or nothing. */
export type ExpectedVersion = StreamVersion | "no-stream" | "any";

/** Who reported an event and what it belongs to. Never holds a link or a secret. */
export interface EventMetadata {
	/** The ingress or worker that caused the event: `http`, `grpc`, `archiver`, `doctor`, `repair`. */
	readonly ingress?: string;
	readonly appKey?: string;
	readonly requestId?: string;
	/** Same for everything that follows from one callback. */
	readonly correlationId?: string;
	/** The id of the event that led to this one. */
	readonly causationId?: string;
	/** W3C trace context. */
	readonly traceparent?: string;
	/** How the report was authenticated. */
	readonly verification?: VerificationReceipt;
}

/** How a report was found authentic; kept with the event for an audit. */
export interface VerificationReceipt {
	/** `md5`, `hmac`, `hmac-sha256`, … */
	readonly scheme: string;
	/** Which secret matched, by its name; never the secret. */
	readonly secretId?: string;
	/** Receiver's clock minus sender's timestamp, in milliseconds. */
	readonly clockSkewMs?: number;
	/**
	 * SHA-256 of the raw request, lower-case hex, so that a capture can be told to be this one; what is hashed, each
	 * ingress says. Absent when the raw bytes never reached it.
	 */
	readonly requestSha256?: string;
}

/** An event that is not recorded yet. It carries its id, so that an append of unknown outcome is settled by reading. */
export interface NewEvent<Type extends string = string, Data = JsonObject> {
	readonly id: string;
	readonly type: Type;
	readonly schemaVersion: number;
	readonly data: Data;
	readonly metadata: EventMetadata;
}

/** A recorded event: plus where it stands and when it was recorded. Deeply frozen when a store hands it out. */
export interface RecordedEvent<Type extends string = string, Data = JsonObject> extends NewEvent<Type, Data> {
	readonly stream: StreamName;
	/** The stream's version once this event is in it; the first event has version 1. */
	readonly version: StreamVersion;
	readonly position: Position;
	/** UTC milliseconds. */
	readonly recordedAt: number;
}

/** A recorded event whose `data` and `metadata` are JSON still, in UTF-8: enough for who only hands it on. */
export interface EncodedEvent extends Omit<RecordedEvent, "data" | "metadata"> {
	readonly dataJson: Uint8Array;
	readonly metadataJson: Uint8Array;
}

/** One event or more that follow one another. */
export interface EncodedRun {
	readonly events: readonly EncodedEvent[];
	/** Of the last of them. */
	readonly position: Position;
}

/** What `readAll` returns: read it once, one way or the other. */
export interface LogReading extends AsyncIterable<RecordedEvent> {
	/**
	 * The same events without parsing what they hold; where a store has none, `encodedRuns` makes them. It stands on the
	 * reading and not on the store, so that a store in front of another cannot be passed by.
	 */
	readonly encoded?: () => AsyncIterable<EncodedRun>;
}

export type AppendResult =
	| {
			readonly _tag: "Appended";
			/** The stream's version after the append. */
			readonly version: StreamVersion;
			/** The position of the last appended event. */
			readonly position: Position;
	  }
	| {
			readonly _tag: "WrongExpectedVersion";
			/** The version that the store found, all of it durable by now. */
			readonly actualVersion: StreamVersion;
	  };

export interface ReadStreamOptions {
	/** Exclusive. Forward: events with a higher version (default 0). Backward: with a lower one (default: from the end). */
	readonly after?: StreamVersion;
	readonly direction?: "forward" | "backward";
	/** At most this many events. */
	readonly limit?: number;
	readonly signal?: AbortSignal;
}

export interface ReadAllOptions {
	/** Exclusive. Forward: events behind it (default: from the start). Backward: events before it (default: from the end). */
	readonly after?: Position;
	readonly direction?: "forward" | "backward";
	readonly limit?: number;
	/** Only events of these types: a store passes over the others at less cost than a reader could. `limit` does not count those. */
	readonly types?: readonly string[];
	readonly signal?: AbortSignal;
}

export interface EventStore {
	/** What this store can do beyond the minimum; literal flags, fixed for its lifetime. */
	readonly supports: {
		/** What was appended is there after `close` and a new start. */
		readonly persistence: boolean;
	};

	/**
	 * Appends all of `events` to `stream`, or none.
	 * *Shape*: 1 to 64 events; each id is new. They are taken as they are at the call: what is changed later, is not kept.
	 * *Errors*: a precondition that fails is a value, `WrongExpectedVersion`. Arguments that no store can keep, such as
	 * what JSON does not hold, reject with a `TypeError` or `RangeError`. Rejects with a `StoreFault`: the outcome may then
	 * be unknown, and reading the stream settles it.
	 * *Promise*: `Appended` only after a sync that began after the bytes were written; the precondition is checked
	 * inside the same transaction; appends to one stream are decided in the order of the calls; no reader sees a part of an
	 * append; `WrongExpectedVersion` only once the events that caused it are durable, and if
	 * their sync fails this append rejects too.
	 */
	append(
		stream: StreamName,
		events: readonly NewEvent[],
		expectedVersion: ExpectedVersion,
	): Promise<AppendResult>;

	/** Reads one stream in version order; nothing when there is no stream. *Promise*: only durable events, deeply frozen. */
	read(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;

	/**
	 * Reads all streams in position order, up to the end at the time it gets there; it does not wait for more.
	 * *Promise*: gap-free: an event never appears before one that was already yielded. Only durable events.
	 */
	readAll(options?: ReadAllOptions): LogReading;

	/**
	 * Calls `hint` when there may be new events; returns how to stop that.
	 * *Promise*: none; a hint may be lost, early or superfluous, so a reader polls as well.
	 */
	onAppended(hint: () => void): () => void;

	/** Finishes appends under way, then refuses new work with `StoreFault` `closed`. Idempotent. */
	close(): Promise<void>;
}

// The one error with which a store rejects: I/O, network, closed, overloaded. Told by its tag, never by `instanceof`.

export type StoreFaultReason =
	/** The device, the file system or the server behind the store failed. */
	| "io"
	/** The store was closed, or has not been opened. */
	| "closed"
	/** A bounded queue is full. */
	| "overloaded"
	/** Stored bytes do not make sense. */
	| "corrupt"
	/** Another process owns the store. */
	| "owned"
	/** An earlier sync or write failed; what this handle holds can no longer be trusted. */
	| "failed";

export interface StoreFault extends Error {
	readonly _tag: "StoreFault";
	readonly reason: StoreFaultReason;
	/** Whether the same call may succeed later without anyone's help. */
	readonly retryable: boolean;
	readonly cause?: unknown;
}

class StoreFaultError extends Error implements StoreFault {
	readonly _tag = "StoreFault";
	readonly reason: StoreFaultReason;
	readonly retryable: boolean;

	constructor(reason: StoreFaultReason, message: string, retryable: boolean, cause?: unknown) {
		super(message, cause === undefined ? undefined : { cause });
		this.name = "StoreFault";
		this.reason = reason;
		this.retryable = retryable;
	}
}

/** Makes the fault that a store rejects with. `message` says what to do next; it never holds a link or a secret. */
export function storeFault(
	reason: StoreFaultReason,
	message: string,
	options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
): StoreFault {
	const retryable = options.retryable ?? (reason === "io" || reason === "overloaded");
	return new StoreFaultError(reason, message, retryable, options.cause);
}

/** Whether `error` is a `StoreFault`, whichever copy of this package made it. */
export function isStoreFault(error: unknown): error is StoreFault {
	return error instanceof Error && (error as { _tag?: unknown })._tag === "StoreFault";
}

// What the body of an opened video throws when it ends early.

/**
 * - `broke-off`: the connection ended before the body did
 * - `stalled`: no byte came for the idle time
 * - `too-large`: more bytes came than may be kept
 */
export type SourceFaultReason = "broke-off" | "stalled" | "too-large";

/** Told by its tag, never by `instanceof`. `message` never holds a link. */
export interface SourceFault extends Error {
	readonly _tag: "SourceFault";
	readonly reason: SourceFaultReason;
}

class SourceFaultError extends Error implements SourceFault {
	readonly _tag = "SourceFault";
	readonly reason: SourceFaultReason;

	constructor(reason: SourceFaultReason, message: string) {
		super(message);
		this.name = "SourceFault";
		this.reason = reason;
	}
}

/** Makes the fault that a video's body throws. No `cause`: a socket's error may name what it was connected to. */
export function sourceFault(reason: SourceFaultReason, message: string): SourceFault {
	return new SourceFaultError(reason, message);
}

export function isSourceFault(error: unknown): error is SourceFault {
	return error instanceof Error && (error as { _tag?: unknown })._tag === "SourceFault";
}

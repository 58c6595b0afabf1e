// Why an attempt to keep a video failed, and whose matter that is. Tags are stored in events: they are never renamed.

import type { VideoUnavailable } from "@reelkeep/core/ports";

/**
 * What `VideoUnavailable` says, and:
 * - `broke-off`: the body ended early, fell silent, or threw
 * - `mismatch`: what came is not what the origin stated, is empty, or is a page
 * - `storage`: the video store failed, or is full
 * - `no-room`: it has no room for a video of this size
 * - `sealed`: the link cannot be opened with the keys at hand
 * - `refresher`: the link is dead, and whoever might have a new one failed
 */
export type FailureReason =
	| VideoUnavailable["reason"]
	| "broke-off"
	| "mismatch"
	| "storage"
	| "no-room"
	| "sealed"
	| "refresher";

/**
 * - `link`: the link is dead, says the origin: another one may live
 * - `object`: the origin says no for good; it is asked again a few times before that is believed
 * - `passing`: may be over soon: tried again until the deadline and its grace
 * - `ours`: our policy, disk or keys are in the way: the link may live, so time alone never ends it
 */
export type FailureKind = "link" | "object" | "passing" | "ours";

const KINDS = {
	expired: "link",
	refused: "object",
	"not-found": "object",
	busy: "passing",
	unreachable: "passing",
	failed: "passing",
	"broke-off": "passing",
	mismatch: "passing",
	refresher: "passing",
	"not-allowed": "ours",
	"too-large": "ours",
	storage: "ours",
	"no-room": "ours",
	sealed: "ours",
} as const satisfies Record<FailureReason, FailureKind>;

/** Longest message that is kept: it goes into events and stays in memory while a recording is pending. */
const MAX_MESSAGE_LENGTH = 300;

export interface Failure {
	readonly reason: FailureReason;
	/** For people; at most 300 characters; never holds more of a link than its host. */
	readonly message: string;
	readonly retryAfterMs?: number;
}

/** What failed with one link. */
export interface LinkFailure extends Failure {
	readonly linkFingerprint: string;
}

/** Makes a failure; its message is cut to what is kept. */
export function failureOf(reason: FailureReason, message: string, retryAfterMs?: number): Failure {
	const failure = { reason, message: message.slice(0, MAX_MESSAGE_LENGTH) };
	return retryAfterMs === undefined ? failure : { ...failure, retryAfterMs };
}

export function failureKind(reason: FailureReason): FailureKind {
	return KINDS[reason];
}

/** Whether the origin was surely asked: policy, a key or a disk may have been in the way before. */
export function wasTried(reason: FailureReason): boolean {
	return !["not-allowed", "storage", "no-room", "sealed"].includes(reason);
}

/** The kind of a reason read from an event; one that this release does not know counts as passing. */
export function storedFailureKind(reason: string): FailureKind {
	return Object.hasOwn(KINDS, reason) ? KINDS[reason as FailureReason] : "passing";
}

/**
 * The failure that tells what becomes of a recording: what is ours to mend first, then what may pass, and of several the
 * newest link's. *Shape*: `failures` in the order tried, newest link first; `undefined` for none.
 */
export function decisiveFailure(failures: readonly LinkFailure[]): LinkFailure | undefined {
	const isOf = (kind: FailureKind) => failures.find(({ reason }) => failureKind(reason) === kind);
	return isOf("ours") ?? isOf("passing") ?? failures[0];
}

/**
 * Whether the next older link is worth a try in the same attempt. When this one was refused, or cannot be opened: yes, for
 * a recording comes to rest only when every link was tried. Otherwise no, since all of them name the same object on the
 * same host — but before time ends a recording, every link has its turn.
 */
export function isWorthAnotherLink(reason: FailureReason, isLastChance: boolean): boolean {
	const kind = failureKind(reason);
	return kind === "link" || kind === "object" || reason === "sealed" || (kind === "passing" && isLastChance);
}

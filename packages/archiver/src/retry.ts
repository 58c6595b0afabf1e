// What follows from a failed attempt. Pure: time and randomness come in. The budget for retries is the time until the
// deadline, not a number of tries; a deadline orders work and never forbids it (docs/promises.md, promise 5).

import { type FailureReason, failureKind } from "./failure.js";

/**
 * How long after its deadline a recording is still tried whose origin, or whose link refresher, could not be asked: that may
 * be our own network's fault, and says nothing of the link.
 */
const UNASKED_GRACE_MS = 24 * 3_600_000;
const UNASKED: ReadonlySet<FailureReason> = new Set(["unreachable", "refresher"]);

export interface RetryPolicy {
	/** Upper bound of the first delay; it doubles with each attempt. Milliseconds. */
	readonly firstDelayMs: number;
	/** No delay is longer, but for the origin's own `Retry-After`. Milliseconds. */
	readonly maxDelayMs: number;
	/** No delay is shorter: full jitter may draw 0, and an origin in trouble is not to be hammered. Milliseconds. */
	readonly minDelayMs: number;
	/** How long after its deadline a link is still tried: clocks differ, and stated expiries are guesses. Milliseconds. */
	readonly graceMs: number;
	/** How often in a row the origin says no (`refused`, `not-found`) before that is believed. */
	readonly confirmations: number;
	/** Shortest delay between those: an object may be reported before it can be read everywhere. Milliseconds. */
	readonly confirmationDelayMs: number;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
	firstDelayMs: 1_000,
	maxDelayMs: 5 * 60_000,
	minDelayMs: 250,
	graceMs: 10 * 60_000,
	confirmations: 4,
	confirmationDelayMs: 30_000,
};

/** A failed attempt: at least one link was asked for, or would have been but for our own fault. */
export interface FailedAttempt {
	readonly reason: FailureReason;
	readonly retryAfterMs?: number | undefined;
	/** This attempt included, since the newest link was reported; at least 1. */
	readonly attempts: number;
	/** How often in a row the origin has said no, this attempt included. */
	readonly refusals: number;
	/** When the last of the links dies; UTC milliseconds. */
	readonly deadline: number;
	readonly now: number;
	/** From 0 up to, not including, 1. */
	readonly random: number;
}

export type NextStep =
	| { readonly _tag: "Retry"; readonly at: number }
	| { readonly _tag: "Expire"; readonly cause: "refused" | "deadline" }
	| { readonly _tag: "Abandon"; readonly cause: FailureReason };

/**
 * Decides what follows from a failed attempt.
 *
 * | kind | reasons | before deadline + grace | from then on |
 * |---|---|---|---|
 * | link | `expired` | `LinkExpired` (refused) | the same |
 * | object | `refused`, `not-found` | again until confirmed, then `ArchiveAbandoned` | `ArchiveAbandoned` |
 * | passing | `busy`, `failed`, `broke-off`, `mismatch` | again | `LinkExpired` (deadline) |
 * | passing | `unreachable`, `refresher` | again | again for a day, then `LinkExpired` (deadline) |
 * | ours | `not-allowed`, `too-large`, `storage`, `sealed` | again | again: somebody can still mend it |
 *
 * *Promise*: but for `ours`, no retry is due after deadline + grace, or a day where nobody could be asked, so a recording
 * comes to rest.
 */
export function decideNextStep(attempt: FailedAttempt, policy: RetryPolicy): NextStep {
	const { reason, refusals, deadline, now } = attempt;
	const isOver = isLastChance(deadline, now, { graceMs: graceOf(reason, policy) });
	switch (failureKind(reason)) {
		case "link":
			return { _tag: "Expire", cause: "refused" };
		case "object":
			return isOver || refusals >= policy.confirmations
				? { _tag: "Abandon", cause: reason }
				: retryInTime(attempt, policy, policy.confirmationDelayMs);
		case "passing":
			return isOver
				? { _tag: "Expire", cause: "deadline" }
				: retryInTime(attempt, policy, attempt.retryAfterMs ?? 0);
		case "ours":
			// A full disk may be emptied any time; policy and keys change by a restart, which tries at once.
			return {
				_tag: "Retry",
				at:
					now +
					delayInTime(attempt, policy, reason === "storage" || reason === "no-room" ? 0 : policy.maxDelayMs),
			};
	}
}

/** Whether an attempt at `now` is the last that time allows. */
export function isLastChance(deadline: number, now: number, policy: Pick<RetryPolicy, "graceMs">): boolean {
	return now >= deadline + policy.graceMs;
}

/** Exponential backoff with full jitter: anywhere between the shortest delay and a ceiling that doubles. Milliseconds. */
export function backoffDelay(
	{ attempts, random }: Pick<FailedAttempt, "attempts" | "random">,
	{ firstDelayMs, maxDelayMs, minDelayMs }: RetryPolicy,
): number {
	// 2 ** 30 times a millisecond is beyond every maximum; more would leave the safe integers.
	const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempts - 1, 30));
	return Math.max(minDelayMs, Math.floor(random * ceiling));
}

function graceOf(reason: FailureReason, { graceMs }: RetryPolicy): number {
	return UNASKED.has(reason) ? Math.max(UNASKED_GRACE_MS, graceMs) : graceMs;
}

/** The last try falls on deadline + grace exactly. */
function retryInTime(attempt: FailedAttempt, policy: RetryPolicy, atLeastMs: number): NextStep {
	const at = attempt.now + delayInTime(attempt, policy, atLeastMs);
	return { _tag: "Retry", at: Math.min(at, attempt.deadline + graceOf(attempt.reason, policy)) };
}

/**
 * Before the deadline, half of the time that is left is the longest wait, whoever asks for it: an origin's `Retry-After`
 * of an hour is not worth a video whose link dies in forty minutes. Milliseconds.
 */
function delayInTime(attempt: FailedAttempt, policy: RetryPolicy, atLeastMs: number): number {
	const remainingMs = attempt.deadline - attempt.now;
	const wantedMs = Math.max(backoffDelay(attempt, policy), atLeastMs);
	if (remainingMs <= 0) return wantedMs;
	return Math.min(wantedMs, Math.max(Math.ceil(remainingMs / 2), policy.minDelayMs));
}

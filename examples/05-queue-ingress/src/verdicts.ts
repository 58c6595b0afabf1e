// What the broker is told of each outcome: the one place where they meet.

import type { ReceiveOutcome } from "@reelkeep/core/ports";

/** `ack`: forget it. `nack`: bring it again later. `reject`: it will never be taken, set it aside. */
export type Verdict = "ack" | "nack" | "reject";

const VERDICTS = {
	Reported: "ack",
	AlreadyReported: "ack",
	LinkRenewed: "ack",
	Contradicted: "ack",
	Quarantined: "reject",
	Refused: "reject",
	RateLimited: "nack",
	Unavailable: "nack",
} as const satisfies Record<ReceiveOutcome["_tag"], Verdict>;

const RETRY_DELAY_MS = 1000;

export function verdictOf(outcome: ReceiveOutcome): { readonly verdict: Verdict; readonly delayMs?: number } {
	// A newer core may have an outcome that is not in the table: nothing is known to be stored.
	const verdict: Verdict = VERDICTS[outcome._tag] ?? "nack";
	if (verdict !== "nack") return { verdict };
	return { verdict, delayMs: outcome._tag === "RateLimited" ? outcome.retryAfterMs : RETRY_DELAY_MS };
}

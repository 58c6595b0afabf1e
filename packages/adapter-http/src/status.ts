// What the core says, as the gateway says it: one total table for each of the two questions.

import { describeIssues } from "@reelkeep/core";
import type { NotAuthenticReason, ReceiveOutcome } from "@reelkeep/core/ports";
import { type TopError, type TopErrorName, topError } from "./top-error.js";

/** What a sender is told: that it may forget the callback, or why not. */
export type TopAnswer = { readonly _tag: "Consumed" } | { readonly _tag: "Failed"; readonly error: TopError };

type OutcomeOf<Tag extends ReceiveOutcome["_tag"]> = Extract<ReceiveOutcome, { readonly _tag: Tag }>;

const CONSUMED: TopAnswer = { _tag: "Consumed" };

const OUTCOMES = {
	Reported: () => CONSUMED,
	AlreadyReported: () => CONSUMED,
	LinkRenewed: () => CONSUMED,
	// A success, so that the sender does not hammer; the contradiction is on record (ADR 0002).
	Contradicted: () => CONSUMED,
	Quarantined: ({ issues }) => failed("invalidRequestParam", describeIssues(issues)),
	Refused: ({ message }) => failed("notPermitted", message),
	// SDKs read the number out of this sentence: docs/top-protocol.md §4.
	RateLimited: ({ retryAfterMs }) =>
		failed("rateLimited", `This ban will last for ${Math.ceil(retryAfterMs / 1000)} more seconds`),
	// Our own troubles are told to the log, not to the sender.
	Unavailable: ({ reason }) =>
		reason === "timeout"
			? failed("timeout", "the callback was not stored in time; send it again")
			: failed("unavailable", "the callback was not stored; send it again"),
} satisfies { [Tag in ReceiveOutcome["_tag"]]: (outcome: OutcomeOf<Tag>) => TopAnswer };

const REASONS = {
	"missing-app-key": "missingAppKey",
	"unknown-app-key": "invalidAppKey",
	"missing-signature": "missingSignature",
	"unknown-signature-method": "invalidSignature",
	"wrong-signature": "invalidSignature",
	"missing-timestamp": "missingTimestamp",
	"invalid-timestamp": "invalidTimestamp",
	// TOP has no other credentials than signatures; a verifier of yours may.
	"missing-credentials": "missingSignature",
	"wrong-credentials": "invalidSignature",
} as const satisfies Record<NotAuthenticReason, TopErrorName>;

/** The answer to a received callback. */
export function answerOutcome(outcome: ReceiveOutcome): TopAnswer {
	const answer = OUTCOMES[outcome._tag] as (outcome: ReceiveOutcome) => TopAnswer;
	return answer(outcome);
}

/** The answer to a request that is not authentic. `message` is the verifier's, made for the sender. */
export function answerNotAuthentic(reason: NotAuthenticReason, message: string): TopAnswer {
	return failed(REASONS[reason], message);
}

export function failed(name: TopErrorName, subMsg?: string): TopAnswer {
	return { _tag: "Failed", error: topError(name, subMsg) };
}

// What the core says, as gRPC says it: one total table for each of the questions.

import { status as Code } from "@grpc/grpc-js";
import type { DecodeIssue, NotAuthenticReason, ReceiveOutcome, StreamName } from "@reelkeep/core/ports";
import { ReportOutcome } from "./gen/reelkeep/v1/recording_service_pb.js";

/** What a caller is told. */
export type GrpcAnswer =
	| { readonly _tag: "Kept"; readonly outcome: ReportOutcome; readonly stream: StreamName }
	| GrpcFailure;

export interface GrpcFailure {
	readonly _tag: "Failed";
	readonly code: Code;
	/** For programs: an `ErrorInfo`. Upper case with underscores; docs/errors.md lists them. */
	readonly reason: string;
	/** For people; our own words. */
	readonly message: string;
	/** Fields of the callback, or of the request, that are wrong: a `BadRequest`. */
	readonly issues?: readonly DecodeIssue[];
	/** Send it again, not before this: a `RetryInfo`. */
	readonly retryAfterMs?: number;
}

type OutcomeOf<Tag extends ReceiveOutcome["_tag"]> = Extract<ReceiveOutcome, { readonly _tag: Tag }>;

/** As long as a group commit takes a hundred times, and short of a sender's own time-out. */
const RETRY_AFTER_MS = 1_000;

const OUTCOMES = {
	Reported: ({ stream }) => kept(ReportOutcome.REPORTED, stream),
	AlreadyReported: ({ stream }) => kept(ReportOutcome.ALREADY_REPORTED, stream),
	LinkRenewed: ({ stream }) => kept(ReportOutcome.LINK_RENEWED, stream),
	// A success, so that the sender does not hammer; the contradiction is on record (ADR 0002).
	Contradicted: ({ stream }) => kept(ReportOutcome.CONTRADICTED, stream),
	Quarantined: ({ issues }) => ({ ...QUARANTINED, issues }),
	Refused: ({ message }) => failed(Code.PERMISSION_DENIED, "NOT_ADMITTED", message),
	RateLimited: ({ message, retryAfterMs }) => ({
		...failed(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", message),
		retryAfterMs,
	}),
	// Our own troubles are told to the log, not to the caller.
	Unavailable: ({ reason }) => (reason === "overloaded" ? OVERLOADED : NOT_STORED),
} satisfies { [Tag in ReceiveOutcome["_tag"]]: (outcome: OutcomeOf<Tag>) => GrpcAnswer };

const REASONS = {
	"missing-app-key": Code.UNAUTHENTICATED,
	"unknown-app-key": Code.UNAUTHENTICATED,
	"missing-signature": Code.UNAUTHENTICATED,
	"unknown-signature-method": Code.UNAUTHENTICATED,
	"wrong-signature": Code.UNAUTHENTICATED,
	"missing-timestamp": Code.UNAUTHENTICATED,
	"invalid-timestamp": Code.UNAUTHENTICATED,
	"missing-credentials": Code.UNAUTHENTICATED,
	"wrong-credentials": Code.UNAUTHENTICATED,
} as const satisfies Record<NotAuthenticReason, Code>;

const QUARANTINED: GrpcFailure = failed(
	Code.INVALID_ARGUMENT,
	"QUARANTINED",
	"the callback cannot be decoded; it is kept in quarantine",
);

const NOT_STORED: GrpcFailure = again(Code.UNAVAILABLE, "NOT_STORED", "the report was not stored");

/** Too much at once, here or in the core. */
export const OVERLOADED: GrpcFailure = again(
	Code.RESOURCE_EXHAUSTED,
	"OVERLOADED",
	"too many reports at once",
);

export const TOO_LARGE: GrpcFailure = failed(Code.RESOURCE_EXHAUSTED, "TOO_LARGE", "the report is too large");

/** A verifier or a `receive` that breaks its promise: whether the callback is kept is unknown, and a retry finds out. */
export const INTERNAL_ERROR: GrpcFailure = again(Code.UNAVAILABLE, "INTERNAL_ERROR", "internal error");

export const STOPPING: GrpcFailure = again(Code.UNAVAILABLE, "STOPPING", "the server is stopping");

export const MALFORMED: GrpcFailure = failed(
	Code.INVALID_ARGUMENT,
	"MALFORMED",
	"the request cannot be parsed",
);

/** The answer to a report. */
export function answerOutcome(outcome: ReceiveOutcome): GrpcAnswer {
	const answer = OUTCOMES[outcome._tag] as (outcome: ReceiveOutcome) => GrpcAnswer;
	return answer(outcome);
}

/** The answer to a call or a report that is not authentic. `message` is the verifier's, made for the sender. */
export function answerNotAuthentic(reason: NotAuthenticReason, message: string): GrpcFailure {
	return failed(REASONS[reason], reason.toUpperCase().replaceAll("-", "_"), message);
}

export function failed(code: Code, reason: string, message: string): GrpcFailure {
	return { _tag: "Failed", code, reason, message };
}

export function isFailure(result: object): result is GrpcFailure {
	return "_tag" in result && result._tag === "Failed";
}

/** What passes by itself. */
function again(code: Code, reason: string, message: string): GrpcFailure {
	return { ...failed(code, reason, message), retryAfterMs: RETRY_AFTER_MS };
}

function kept(outcome: ReportOutcome, stream: StreamName): GrpcAnswer {
	return { _tag: "Kept", outcome, stream };
}

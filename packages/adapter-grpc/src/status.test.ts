import { status as Code } from "@grpc/grpc-js";
import type { NotAuthenticReason, ReceiveOutcome } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { ReportOutcome } from "./gen/reelkeep/v1/recording_service_pb.js";
import { answerNotAuthentic, answerOutcome, INTERNAL_ERROR, OVERLOADED, STOPPING } from "./status.js";

const stream = "recording-1";

type Tag = ReceiveOutcome["_tag"];

describe("answerOutcome", () => {
	it.each<[Tag & ("Reported" | "AlreadyReported" | "LinkRenewed" | "Contradicted"), ReportOutcome]>([
		["Reported", ReportOutcome.REPORTED],
		["AlreadyReported", ReportOutcome.ALREADY_REPORTED],
		["LinkRenewed", ReportOutcome.LINK_RENEWED],
		["Contradicted", ReportOutcome.CONTRADICTED],
	])("calls %s kept, and says what was new and where it is", (_tag, outcome) => {
		expect(answerOutcome({ _tag, stream })).toEqual({ _tag: "Kept", outcome, stream });
	});

	const issues = [
		{ field: "project_id", problem: "is missing" },
		{ field: "", problem: "is not JSON" },
	];
	it.each<[ReceiveOutcome, object]>([
		[
			{ _tag: "Quarantined", stream, issues },
			{
				code: Code.INVALID_ARGUMENT,
				reason: "QUARANTINED",
				message: "the callback cannot be decoded; it is kept in quarantine",
				issues,
			},
		],
		[
			{ _tag: "Refused", message: "app 1 may not report project p" },
			{ code: Code.PERMISSION_DENIED, reason: "NOT_ADMITTED", message: "app 1 may not report project p" },
		],
		[
			{ _tag: "RateLimited", message: "the app reports more often than it may", retryAfterMs: 12.5 },
			{
				code: Code.RESOURCE_EXHAUSTED,
				reason: "RATE_LIMITED",
				message: "the app reports more often than it may",
				retryAfterMs: 12.5,
			},
		],
		[
			{ _tag: "Unavailable", reason: "overloaded", message: "queue full of /var/lib/x" },
			{
				code: Code.RESOURCE_EXHAUSTED,
				reason: "OVERLOADED",
				message: "too many reports at once",
				retryAfterMs: 1000,
			},
		],
		[
			{ _tag: "Unavailable", reason: "fault", message: "/var/lib/x: ENOSPC" },
			{
				code: Code.UNAVAILABLE,
				reason: "NOT_STORED",
				message: "the report was not stored",
				retryAfterMs: 1000,
			},
		],
		[
			{ _tag: "Unavailable", reason: "timeout", message: "/var/lib/x is slow" },
			{
				code: Code.UNAVAILABLE,
				reason: "NOT_STORED",
				message: "the report was not stored",
				retryAfterMs: 1000,
			},
		],
	])("says of %o exactly what the sender needs", (outcome, failure) => {
		const answer = answerOutcome(outcome);
		expect(answer).toEqual({ _tag: "Failed", ...failure });
		expect(JSON.stringify(answer)).not.toContain("/var/lib");
	});
});

describe("answerNotAuthentic", () => {
	const reasons: Record<NotAuthenticReason, Code> = {
		"missing-app-key": Code.UNAUTHENTICATED,
		"unknown-app-key": Code.UNAUTHENTICATED,
		"missing-signature": Code.UNAUTHENTICATED,
		"unknown-signature-method": Code.UNAUTHENTICATED,
		"wrong-signature": Code.UNAUTHENTICATED,
		"missing-timestamp": Code.UNAUTHENTICATED,
		"invalid-timestamp": Code.UNAUTHENTICATED,
		"missing-credentials": Code.UNAUTHENTICATED,
		"wrong-credentials": Code.UNAUTHENTICATED,
	};

	it.each(Object.entries(reasons))("says of %s: %d, in the verifier's words", (reason, code) => {
		const answer = answerNotAuthentic(reason as NotAuthenticReason, "why");
		const told = reason.toUpperCase().replaceAll("-", "_");
		expect(answer).toEqual({ _tag: "Failed", code, reason: told, message: "why" });
	});
});

describe("the failures that are ours", () => {
	it.each([
		["too much at once", OVERLOADED, Code.RESOURCE_EXHAUSTED],
		["a broken promise", INTERNAL_ERROR, Code.UNAVAILABLE],
		["the stop", STOPPING, Code.UNAVAILABLE],
	])("tell of %s that a retry helps", (_what, failure, code) => {
		expect(failure).toMatchObject({ _tag: "Failed", code, retryAfterMs: 1000 });
		expect(failure).not.toHaveProperty("issues");
	});
});

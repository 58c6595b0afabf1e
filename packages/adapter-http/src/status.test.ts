import type { NotAuthenticReason, ReceiveOutcome } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { answerNotAuthentic, answerOutcome } from "./status.js";

const stream = "recording-1";

describe("answerOutcome", () => {
	it.each<[ReceiveOutcome, object]>([
		[
			{
				_tag: "Quarantined",
				stream,
				issues: [
					{ field: "project_id", problem: "is missing" },
					{ field: "", problem: "must be JSON" },
				],
			},
			{
				code: 50,
				msg: "Remote service error",
				subCode: "isv.invalid-parameter",
				subMsg: "project_id is missing; request_param must be JSON",
			},
		],
		[
			{ _tag: "Refused", message: "app 1 may not report project p" },
			{
				code: 11,
				msg: "Insufficient isv permissions",
				subCode: "isv.permission-api-package-not-allowed",
				subMsg: "app 1 may not report project p",
			},
		],
		[
			{ _tag: "Unavailable", reason: "fault", message: "/var/lib/x: ENOSPC" },
			{ code: 15, subCode: "isp.remote-service-error", subMsg: "the callback was not stored; send it again" },
		],
		[
			{ _tag: "Unavailable", reason: "overloaded", message: "queue full" },
			{ code: 15, subCode: "isp.remote-service-error" },
		],
		[
			{ _tag: "Unavailable", reason: "timeout", message: "slow disk" },
			{ code: 15, subCode: "isp.remote-service-timeout" },
		],
	])("tells of %o an error of the table", (outcome, error) => {
		expect(answerOutcome(outcome)).toMatchObject({ _tag: "Failed", error });
	});

	it.each(["Reported", "AlreadyReported", "LinkRenewed", "Contradicted"] as const)(
		"calls %s consumed",
		(_tag) => {
			expect(answerOutcome({ _tag, stream })).toEqual({ _tag: "Consumed" });
		},
	);
});

describe("answerNotAuthentic", () => {
	it.each<[NotAuthenticReason, number, string]>([
		["missing-app-key", 28, "Missing app key"],
		["unknown-app-key", 29, "Invalid app key"],
		["missing-signature", 24, "Missing signature"],
		["unknown-signature-method", 25, "Invalid signature"],
		["wrong-signature", 25, "Invalid signature"],
		["missing-timestamp", 30, "Missing timestamp"],
		["invalid-timestamp", 31, "Invalid timestamp"],
		["missing-credentials", 24, "Missing signature"],
		["wrong-credentials", 25, "Invalid signature"],
	])("says of %s: %d %s", (reason, code, msg) => {
		expect(answerNotAuthentic(reason, "why")).toEqual({
			_tag: "Failed",
			error: { code, msg, subMsg: "why" },
		});
	});
});

import { describe, expect, it } from "vitest";
import { failingNotice, findFailing, overloadNotice } from "./at-risk.js";
import type { PendingRecording } from "./pending.js";

const NOW = Date.UTC(2026, 10, 23);
const AT_RISK_MS = 3_600_000;
const FAILURE = { reason: "busy", message: "the origin answered 503" };

const pendingOf = (stream: string, of: Partial<PendingRecording>): PendingRecording => ({
	stream,
	deadline: NOW,
	host: "bucket.aliyuncs.com",
	newestLink: "fingerprint",
	attempts: 0,
	refusals: 0,
	metadata: {},
	...of,
});

describe("what is at risk", () => {
	it("failed so far, and dies within the time that is asked about", () => {
		const found = findFailing(
			[
				pendingOf("over", { deadline: NOW - AT_RISK_MS, failure: FAILURE }),
				pendingOf("now", { failure: FAILURE }),
				pendingOf("just", { deadline: NOW + AT_RISK_MS, failure: FAILURE }),
				pendingOf("later", { deadline: NOW + AT_RISK_MS + 1, failure: FAILURE }),
				pendingOf("not tried", { deadline: NOW }),
			],
			{ now: NOW, atRiskMs: AT_RISK_MS },
		);
		expect(found.map(({ stream }) => stream)).toEqual(["over", "now", "just"]);
	});

	it("is told with why, and with nothing of its link but the host", () => {
		const pending = pendingOf("recording-a", { failure: FAILURE });
		const common = { type: "recordingAtRisk", stream: "recording-a", host: pending.host, deadline: NOW };
		expect(failingNotice(pending)).toEqual({
			...common,
			reason: "failing",
			message: "the last try failed: the origin answered 503",
		});
		expect(overloadNotice(pending)).toEqual({
			...common,
			reason: "overload",
			message: expect.stringContaining("no time left"),
		});
		expect(failingNotice(pendingOf("recording-b", {})).message).toContain("nobody knows why");
	});
});

import { describe, expect, test } from "vitest";
import {
	type DecisionOutcome,
	decide,
	evolve,
	initialRecording,
	MAX_RENEWALS,
	MAX_RENEWALS_IN_ALL,
	type Recording,
} from "./recording.js";
import type { RecordingCommand } from "./recording-command.js";

const receipt = { location: "memory:x", bytes: 3, sha256: "ab", lengthVerified: true };

const report = (serial: number): RecordingCommand => ({
	_tag: "ReportRecording",
	facts: {
		projectId: "cg-avatar",
		trackInfo: "9dacb134",
		object: "bucket.example.com/720p.mp4",
		gameId: "cgdctwrqs",
		accountDomain: 0,
		accountId: "NUAzXzcy",
	},
	version: 1,
	action: "SCREEN_RECORDING_CALL_BACK",
	link: {
		downloadUrl: "http://bucket.example.com/720p.mp4?***",
		sealedUrl: `v1.k.${serial}`,
		linkFingerprint: `link-${serial}`,
		expireTime: serial,
		deadline: { at: serial, source: "expire_time", ignored: [] },
	},
	contentFingerprint: () => `content-${serial}`,
});
const expire = (tried: readonly string[]): RecordingCommand => ({
	_tag: "ExpireLink",
	cause: "refused",
	message: "the origin refused",
	tried,
});

/** A recording that was reported with link 0, and is told one thing after the other. */
function given() {
	let recording: Recording = initialRecording;
	const told = {
		tell(command: RecordingCommand): DecisionOutcome {
			const { outcome, events } = decide(command, recording);
			recording = events.reduce(evolve, recording);
			return outcome;
		},
		/** The links that it would have tried. */
		links: () => recording.links.map(({ linkFingerprint }) => linkFingerprint),
		state: () => recording.state,
		/** It rests, and is reopened by the next link, for each of `serials`. */
		reopen(...serials: readonly number[]) {
			for (const serial of serials) {
				expect(told.tell(expire(told.links()))).toBe("Accepted");
				expect(told.tell(report(serial))).toBe("LinkRenewed");
			}
		},
	};
	told.tell(report(0));
	return told;
}

const upTo = (last: number, from = 1): readonly number[] =>
	Array.from({ length: last - from + 1 }, (_, index) => from + index);

describe("a recording that is reopened again and again", () => {
	test(`takes ${MAX_RENEWALS_IN_ALL} new links in all`, () => {
		const recording = given();
		recording.reopen(...upTo(MAX_RENEWALS_IN_ALL));
		expect(recording.tell(report(9_999))).toBe("AlreadyReported");
		recording.tell(expire(recording.links()));
		expect(recording.tell(report(9_999))).toBe("AlreadyReported");
		expect(recording.state()).toBe("expired");
	});

	test("has its newest links tried only, and is not reopened by one of long ago", () => {
		const recording = given();
		recording.reopen(...upTo(2 * MAX_RENEWALS));
		expect(recording.links()).toEqual(upTo(2 * MAX_RENEWALS, MAX_RENEWALS).map((serial) => `link-${serial}`));
		recording.tell(expire(recording.links()));
		expect(recording.tell(report(0))).toBe("AlreadyReported");
	});

	test("comes to rest, too, when its removed video has had its links tried anew", () => {
		const recording = given();
		recording.reopen(...upTo(2 * MAX_RENEWALS));
		recording.tell({ _tag: "ArchiveRecording", receipt, adopted: false });
		recording.tell({ _tag: "RemoveVideo", location: receipt.location, cause: "missing", message: "gone" });
		const newest = recording.links();
		expect(recording.tell(expire(newest.slice(1)))).toBe("Ignored");
		expect(recording.tell(expire(newest))).toBe("Accepted");
	});
});

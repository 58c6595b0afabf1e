// For the tests of the decider only: commands and events of one recording, and given, when, then over them.

import { expect } from "vitest";
import type { DomainEvent, VideoReceipt } from "./events.js";
import { type DecisionOutcome, decide, evolve, initialRecording, type Recording } from "./recording.js";
import type {
	RecordingCommand,
	RecordingFacts,
	RecordingLink,
	ReportRecording,
} from "./recording-command.js";

export const facts: RecordingFacts = {
	projectId: "cg-avatar",
	trackInfo: "9dacb134",
	object: "bucket.example.com/720p.mp4",
	gameId: "cgdctwrqs",
	accountDomain: 0,
	accountId: "NUAzXzcy",
};

export const linkOf = (serial: number): RecordingLink => ({
	downloadUrl: "http://bucket.example.com/720p.mp4?***",
	sealedUrl: `v1.k.${serial}`,
	linkFingerprint: `link-${serial}`,
	expireTime: 1_700_000_000_000 + serial,
	deadline: { at: 1_700_000_000_000 + serial, source: "expire_time", ignored: [] },
});

export const report = (serial: number, other: Partial<RecordingFacts> = {}): ReportRecording => ({
	_tag: "ReportRecording",
	facts: { ...facts, ...other },
	version: 1,
	action: "SCREEN_RECORDING_CALL_BACK",
	link: linkOf(serial),
	contentFingerprint: () => `content-${serial}-${JSON.stringify(other)}`,
});

export const receipt: VideoReceipt = { location: "memory:x", bytes: 3, sha256: "ab", lengthVerified: true };
export const archive = (adopted = false): RecordingCommand => ({
	_tag: "ArchiveRecording",
	receipt,
	adopted,
});
export const expire = (...tried: readonly number[]): RecordingCommand => ({
	_tag: "ExpireLink",
	cause: "refused",
	message: "the origin refused",
	tried: tried.map((serial) => linkOf(serial).linkFingerprint),
});
export const abandon = (...tried: readonly number[]): RecordingCommand => ({
	_tag: "AbandonArchive",
	cause: "too-large",
	message: "too large",
	tried: tried.map((serial) => linkOf(serial).linkFingerprint),
});
export const fail = (serial: number, nextAttemptAt?: number): RecordingCommand => ({
	_tag: "RecordFailedAttempt",
	reason: "failed",
	message: "connection reset",
	linkFingerprint: linkOf(serial).linkFingerprint,
	tried: true,
	...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
});

export const reported = (serial: number): DomainEvent => ({
	type: "RecordingReported",
	data: { ...facts, ...linkOf(serial), version: 1, action: "SCREEN_RECORDING_CALL_BACK" },
});
export const renewed = (serial: number, reopens = false): DomainEvent => ({
	type: "LinkRenewed",
	data: { ...linkOf(serial), reopens },
});
export const failed = (
	serial: number,
	attempt: number,
	nextAttemptAt?: number,
	tried = true,
): DomainEvent => ({
	type: "ArchiveAttemptFailed",
	data: {
		attempt,
		reason: "failed",
		message: "connection reset",
		linkFingerprint: linkOf(serial).linkFingerprint,
		tried,
		...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
	},
});
export const archived = (attempts = 1, adopted = false): DomainEvent => ({
	type: "RecordingArchived",
	data: { receipt, adopted, attempts },
});
export const expired = (attempts = 1): DomainEvent => ({
	type: "LinkExpired",
	data: { cause: "refused", message: "the origin refused", attempts },
});
export const abandoned = (attempts = 1): DomainEvent => ({
	type: "ArchiveAbandoned",
	data: { cause: "too-large", message: "too large", attempts },
});

export const remove = (location = receipt.location): RecordingCommand => ({
	_tag: "RemoveVideo",
	location,
	cause: "damaged",
	message: "other bytes",
});
export const removed = (newest: number, latest = newest): DomainEvent => ({
	type: "VideoRemoved",
	data: {
		location: receipt.location,
		cause: "damaged",
		message: "other bytes",
		downloadUrl: linkOf(newest).downloadUrl,
		linkFingerprint: linkOf(newest).linkFingerprint,
		deadline: linkOf(latest).deadline,
	},
});

export const fold = (events: readonly DomainEvent[], from: Recording = initialRecording): Recording =>
	events.reduce(evolve, from);
export const times = <Value>(count: number, make: (index: number) => Value): readonly Value[] =>
	Array.from({ length: count }, (_, index) => make(index));

/** given(events).when(command).decides(outcome, …events) */
export function given(...events: readonly DomainEvent[]) {
	const recording = fold(events);
	return {
		recording,
		when: (command: RecordingCommand) => ({
			decides(outcome: DecisionOutcome, ...decided: readonly DomainEvent[]) {
				expect(decide(command, recording)).toEqual({ outcome, events: decided });
			},
		}),
	};
}

import { describe, expect, test } from "vitest";
import type { DomainEvent, VideoReceipt } from "./events.js";
import {
	type DecisionOutcome,
	decide,
	evolve,
	initialRecording,
	MAX_CONTRADICTIONS,
	MAX_RECORDED_FAILURES,
	MAX_RENEWALS,
	type Recording,
} from "./recording.js";
import type {
	RecordingCommand,
	RecordingFacts,
	RecordingLink,
	ReportRecording,
} from "./recording-command.js";

const facts: RecordingFacts = {
	projectId: "cg-avatar",
	trackInfo: "9dacb134",
	object: "bucket.example.com/720p.mp4",
	gameId: "cgdctwrqs",
	accountDomain: 0,
	accountId: "NUAzXzcy",
};

const linkOf = (serial: number): RecordingLink => ({
	downloadUrl: "http://bucket.example.com/720p.mp4?***",
	sealedUrl: `v1.k.${serial}`,
	linkFingerprint: `link-${serial}`,
	expireTime: 1_700_000_000_000 + serial,
	deadline: { at: 1_700_000_000_000 + serial, source: "expire_time", ignored: [] },
});

const report = (serial: number, other: Partial<RecordingFacts> = {}): ReportRecording => ({
	_tag: "ReportRecording",
	facts: { ...facts, ...other },
	version: 1,
	action: "SCREEN_RECORDING_CALL_BACK",
	link: linkOf(serial),
	contentFingerprint: `content-${serial}-${JSON.stringify(other)}`,
});

const receipt: VideoReceipt = { location: "memory:x", bytes: 3, sha256: "ab", lengthVerified: true };
const archive = (adopted = false): RecordingCommand => ({ _tag: "ArchiveRecording", receipt, adopted });
const expire = (...tried: readonly number[]): RecordingCommand => ({
	_tag: "ExpireLink",
	cause: "refused",
	message: "the origin refused",
	tried: tried.map((serial) => linkOf(serial).linkFingerprint),
});
const abandon = (...tried: readonly number[]): RecordingCommand => ({
	_tag: "AbandonArchive",
	cause: "too-large",
	message: "too large",
	tried: tried.map((serial) => linkOf(serial).linkFingerprint),
});
const fail = (serial: number, nextAttemptAt?: number): RecordingCommand => ({
	_tag: "RecordFailedAttempt",
	reason: "failed",
	message: "connection reset",
	linkFingerprint: linkOf(serial).linkFingerprint,
	tried: true,
	...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
});

const reported = (serial: number): DomainEvent => ({
	type: "RecordingReported",
	data: { ...facts, ...linkOf(serial), version: 1, action: "SCREEN_RECORDING_CALL_BACK" },
});
const renewed = (serial: number, reopens = false): DomainEvent => ({
	type: "LinkRenewed",
	data: { ...linkOf(serial), reopens },
});
const failed = (serial: number, attempt: number, nextAttemptAt?: number, tried = true): DomainEvent => ({
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
const archived = (attempts = 1, adopted = false): DomainEvent => ({
	type: "RecordingArchived",
	data: { receipt, adopted, attempts },
});
const expired = (attempts = 1): DomainEvent => ({
	type: "LinkExpired",
	data: { cause: "refused", message: "the origin refused", attempts },
});
const abandoned = (attempts = 1): DomainEvent => ({
	type: "ArchiveAbandoned",
	data: { cause: "too-large", message: "too large", attempts },
});

const remove = (location = receipt.location): RecordingCommand => ({
	_tag: "RemoveVideo",
	location,
	cause: "damaged",
	message: "other bytes",
});
const removed = (newest: number, latest = newest): DomainEvent => ({
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

const fold = (events: readonly DomainEvent[], from: Recording = initialRecording): Recording =>
	events.reduce(evolve, from);
const times = <Value>(count: number, make: (index: number) => Value): readonly Value[] =>
	Array.from({ length: count }, (_, index) => make(index));

/** given(events).when(command).decides(outcome, …events) */
function given(...events: readonly DomainEvent[]) {
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

describe("a report", () => {
	test("with other facts contradicts, and keeps the whole callback with what differs", () => {
		const other = { gameId: "another", accountDomain: 7 };
		given(reported(1))
			.when(report(2, other))
			.decides("Contradicted", {
				type: "ReportContradicted",
				data: {
					...facts,
					...other,
					...linkOf(2),
					version: 1,
					action: "SCREEN_RECORDING_CALL_BACK",
					differs: ["gameId", "accountDomain"],
					contentFingerprint: report(2, other).contentFingerprint,
				},
			});
	});

	test("that repeats a contradiction is kept once", () => {
		const command = report(2, { accountId: "another" });
		const first = decide(command, fold([reported(1)])).events;
		given(reported(1), ...first)
			.when(command)
			.decides("Contradicted");
	});

	test(`keeps at most ${MAX_CONTRADICTIONS} contradictions`, () => {
		const recording = times(MAX_CONTRADICTIONS + 4, (serial) => serial).reduce(
			(before, serial) => fold(decide(report(0, { accountId: `account-${serial}` }), before).events, before),
			fold([reported(0)]),
		);
		expect(recording.contradictions).toHaveLength(MAX_CONTRADICTIONS);
		expect(decide(report(0, { accountId: "one more" }), recording)).toEqual({
			outcome: "Contradicted",
			events: [],
		});
	});

	test("that contradicts leaves state and links alone, also of an archived recording", () => {
		for (const events of [[reported(1)], [reported(1), archived()], [reported(1), expired()]]) {
			const before = fold(events);
			const decision = decide(report(2, { gameId: "another" }), before);
			expect(decision.outcome).toBe("Contradicted");
			expect(fold(decision.events, before)).toEqual({
				...before,
				contradictions: [report(2, { gameId: "another" }).contentFingerprint],
			});
		}
	});

	test("is reported when it is the first", () => {
		given().when(report(1)).decides("Reported", reported(1));
		expect(given(reported(1)).recording).toMatchObject({
			state: "pending",
			reported: facts,
			links: [linkOf(1)],
		});
	});

	test("with the same link is already reported, whatever became of the recording", () => {
		for (const then of [[], [archived()], [expired()], [abandoned()], [failed(1, 1)]]) {
			given(reported(1), ...then)
				.when(report(1))
				.decides("AlreadyReported");
		}
	});

	test("with an earlier link again is already reported", () => {
		given(reported(1), renewed(2)).when(report(1)).decides("AlreadyReported");
	});

	test("with the same link, another expiry and another version is already reported", () => {
		const again = report(1);
		given(reported(1))
			.when({ ...again, version: 2, link: { ...again.link, expireTime: 5 }, contentFingerprint: "x" })
			.decides("AlreadyReported");
	});

	test("with another link renews it, whatever its expiry", () => {
		given(reported(5)).when(report(1)).decides("LinkRenewed", renewed(1));
		expect(given(reported(5), renewed(1)).recording).toMatchObject({
			state: "pending",
			links: [linkOf(5), linkOf(1)],
			renewals: 1,
		});
	});

	test("with another link reopens what expired or was abandoned", () => {
		for (const rest of [expired(), abandoned()]) {
			given(reported(1), rest).when(report(2)).decides("LinkRenewed", renewed(2, true));
			const { recording } = given(reported(1), rest, renewed(2, true));
			expect(recording).toMatchObject({ state: "pending", failedAttempts: 0 });
			expect(recording).not.toHaveProperty("cause");
		}
	});

	test("with another link changes nothing once the video is archived", () => {
		given(reported(1), archived()).when(report(2)).decides("AlreadyReported");
	});

	test("that a slower writer recorded behind the archived video does not reopen it", () => {
		expect(given(reported(1), archived(), renewed(2)).recording).toMatchObject({
			state: "archived",
			receipt,
		});
	});

	test(`renews a link ${MAX_RENEWALS} times at most until it rests`, () => {
		const full = [reported(0), ...times(MAX_RENEWALS, (serial) => renewed(serial + 1))];
		given(...full.slice(0, -1))
			.when(report(99))
			.decides("LinkRenewed", renewed(99));
		given(...full)
			.when(report(99))
			.decides("AlreadyReported");
		given(...full, archived(), removed(1))
			.when(report(99))
			.decides("AlreadyReported");
		for (const rest of [expired(), abandoned()]) {
			given(...full, rest)
				.when(report(99))
				.decides("LinkRenewed", renewed(99, true));
			const again = [...full, rest, ...times(MAX_RENEWALS + 1, (serial) => renewed(100 + serial))];
			given(...again.slice(0, -1))
				.when(report(99))
				.decides("LinkRenewed", renewed(99));
			given(...again)
				.when(report(99))
				.decides("AlreadyReported");
		}
	});
});

describe("a failed attempt", () => {
	test("means nothing to a recording that is not pending", () => {
		given().when(fail(1)).decides("Ignored");
		for (const rest of [archived(), expired(), abandoned()]) {
			given(reported(1), rest).when(fail(1)).decides("Ignored");
		}
	});

	test("is counted, with the time of the next one", () => {
		given(reported(1))
			.when(fail(1, 500))
			.decides("Accepted", failed(1, 1, 500));
		given(reported(1), failed(1, 1, 500))
			.when(fail(1))
			.decides("Accepted", failed(1, 2));
		expect(given(reported(1), failed(1, 1, 500)).recording).toMatchObject({
			failedAttempts: 1,
			nextAttemptAt: 500,
			lastFailure: "connection reset",
			triedLinks: ["link-1"],
		});
		expect(given(reported(1), failed(1, 1, 500), failed(1, 2)).recording).not.toHaveProperty("nextAttemptAt");
	});

	test("is counted anew after a renewal", () => {
		given(reported(1), failed(1, 1), renewed(2)).when(fail(2)).decides("Accepted", failed(2, 1));
	});

	test(`is recorded ${MAX_RECORDED_FAILURES} times a stream at most, over all its links`, () => {
		const half = times(MAX_RECORDED_FAILURES / 2, (index) => failed(1, index + 1));
		given(reported(1), ...half, renewed(2), ...half)
			.when(fail(2))
			.decides("Ignored");
		given(reported(1), ...half, renewed(2), ...half.slice(1))
			.when(fail(2))
			.decides("Accepted", failed(2, MAX_RECORDED_FAILURES / 2));
	});
});

describe("an archived video", () => {
	test("is ignored before a report, and when there is one already", () => {
		given().when(archive()).decides("Ignored");
		given(reported(1), archived()).when(archive()).decides("Ignored");
	});

	test("is accepted while the recording is pending, and also after it expired or was abandoned", () => {
		given(reported(1)).when(archive()).decides("Accepted", archived(1));
		given(reported(1), failed(1, 1)).when(archive()).decides("Accepted", archived(2));
		for (const rest of [expired(), abandoned()]) {
			given(reported(1), rest).when(archive()).decides("Accepted", archived(1));
			expect(given(reported(1), rest, archived()).recording).toMatchObject({ state: "archived", receipt });
			expect(given(reported(1), rest, archived()).recording).not.toHaveProperty("cause");
		}
	});

	test("that was found complete counts no attempt", () => {
		given(reported(1), failed(1, 1)).when(archive(true)).decides("Accepted", archived(1, true));
	});
});

describe("giving up", () => {
	for (const [name, command, event] of [
		["ExpireLink", expire, expired],
		["AbandonArchive", abandon, abandoned],
	] as const) {
		test(`${name} is ignored unless the recording is pending`, () => {
			given().when(command()).decides("Ignored");
			for (const rest of [archived(), expired(), abandoned()]) {
				given(reported(1), rest).when(command(1)).decides("Ignored");
			}
		});

		test(`${name} is ignored while a link was never tried`, () => {
			given(reported(1)).when(command()).decides("Ignored");
			given(reported(1), renewed(2)).when(command(1)).decides("Ignored");
			given(reported(1), failed(1, 1), renewed(2)).when(command()).decides("Ignored");
			given(reported(1), failed(1, 1, 500, false))
				.when(command())
				.decides("Ignored");
			given(reported(1), expired(), renewed(2, true)).when(command()).decides("Ignored");
		});

		test(`${name} is accepted once every link was tried`, () => {
			given(reported(1)).when(command(1)).decides("Accepted", event(1));
			given(reported(1), failed(1, 1), renewed(2)).when(command(2)).decides("Accepted", event(1));
			given(reported(1), failed(1, 1), failed(1, 2)).when(command()).decides("Accepted", event(3));
			given(reported(1), expired(), renewed(2, true)).when(command(2)).decides("Accepted", event(1));
		});
	}

	test("keeps the cause and forgets the next attempt", () => {
		const { recording } = given(reported(1), failed(1, 1, 500), expired(2));
		expect(recording).toMatchObject({ state: "expired", cause: "the origin refused" });
		expect(recording).not.toHaveProperty("nextAttemptAt");
		expect(given(reported(1), abandoned()).recording).toMatchObject({
			state: "abandoned",
			cause: "too large",
		});
	});
});

describe("removing a video", () => {
	test("opens the recording again, with its newest link and the deadline of the one that lives longest", () => {
		given(reported(9), renewed(3), archived()).when(remove()).decides("Accepted", removed(3, 9));
	});

	test("is ignored for a video that is not kept, or kept elsewhere", () => {
		given().when(remove()).decides("Ignored");
		given(reported(1)).when(remove()).decides("Ignored");
		given(reported(1), expired()).when(remove()).decides("Ignored");
		given(reported(1), archived()).when(remove("memory:y")).decides("Ignored");
		given(reported(1), archived(), removed(1)).when(remove()).decides("Ignored");
	});

	test("forgets the receipt and what its links came to before: each is tried again before it rests", () => {
		const history = [reported(1), failed(1, 1, 5), archived(2), removed(1)];
		const { recording } = given(...history);
		expect(recording).toMatchObject({ state: "pending", failedAttempts: 0, recordedFailures: 1 });
		expect(recording).toMatchObject({ triedLinks: [], lastFailure: "other bytes" });
		expect(recording).not.toHaveProperty("receipt");
		expect(recording).not.toHaveProperty("nextAttemptAt");
		given(...history)
			.when(expire())
			.decides("Ignored");
		given(...history)
			.when(expire(1))
			.decides("Accepted", expired(1));
		given(...history)
			.when(archive())
			.decides("Accepted", archived(1));
		given(...history)
			.when(report(1))
			.decides("AlreadyReported");
		given(...history)
			.when(report(2))
			.decides("LinkRenewed", renewed(2));
	});
});

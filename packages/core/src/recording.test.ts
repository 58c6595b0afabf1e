import { describe, expect, test } from "vitest";
import { decide, initialRecording, MAX_CONTRADICTIONS, MAX_RENEWALS } from "./recording.js";
import type { ReportRecording } from "./recording-command.js";
import {
	abandoned,
	archived,
	expired,
	facts,
	failed,
	fold,
	given,
	linkOf,
	receipt,
	removed,
	renewed,
	report,
	reported,
	times,
} from "./test-recording.js";

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
					contentFingerprint: report(2, other).contentFingerprint(),
				},
			});
	});

	test("is compared as a whole only when it contradicts: its fingerprint costs a hash", () => {
		let asked = 0;
		const counting = (command: ReportRecording): ReportRecording => ({
			...command,
			contentFingerprint: () => {
				asked += 1;
				return command.contentFingerprint();
			},
		});
		for (const recording of [initialRecording, fold([reported(1)])]) {
			decide(counting(report(1)), recording);
			decide(counting(report(2)), recording);
		}
		expect(asked).toBe(0);
		decide(counting(report(2, { gameId: "another" })), fold([reported(1)]));
		expect(asked).toBe(1);
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
				contradictions: [report(2, { gameId: "another" }).contentFingerprint()],
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
			.when({ ...again, version: 2, link: { ...again.link, expireTime: 5 }, contentFingerprint: () => "x" })
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

import { describe, expect, test } from "vitest";
import { MAX_RECORDED_FAILURES } from "./recording.js";
import {
	abandon,
	abandoned,
	archive,
	archived,
	expire,
	expired,
	fail,
	failed,
	given,
	receipt,
	remove,
	removed,
	renewed,
	report,
	reported,
	times,
} from "./test-recording.js";

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

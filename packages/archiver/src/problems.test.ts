import { describe, expect, it } from "vitest";
import type { PendingRecording } from "./pending.js";
import { describeProblems } from "./problems.js";

const NOW = Date.UTC(2026, 10, 23);
const HOUR = 3_600_000;
const pending = (reason: string | undefined, message: string, deadline: number): PendingRecording => ({
	stream: "s",
	deadline,
	host: "bucket.aliyuncs.com",
	newestLink: "l",
	attempts: 1,
	refusals: 0,
	metadata: {},
	...(reason === undefined ? {} : { failure: { reason, message } }),
});
const describeAll = (...recordings: readonly PendingRecording[]): readonly string[] =>
	describeProblems(recordings, { now: NOW, atRiskMs: HOUR }).map(({ message }) => message);

describe("describeProblems", () => {
	it("says each obstacle of our own once, with how many wait for it", () => {
		const far = NOW + 9 * HOUR;
		expect(
			describeAll(
				pending("not-allowed", "the host a is not allowed", far),
				pending("not-allowed", "the host a is not allowed", far),
				pending("storage", "the disk is full", far),
			),
		).toEqual([
			"the host a is not allowed; 2 recordings wait for it",
			"the disk is full; 1 recording waits for it",
		]);
	});

	it("says which deadline comes first among what keeps failing", () => {
		expect(describeAll(pending("busy", "503", NOW + HOUR), pending("failed", "500", NOW - HOUR))).toEqual([
			"2 recordings are at risk: the first link (bucket.aliyuncs.com) dies at 2026-11-22T23:00:00.000Z, " +
				"and the last try failed: 500",
		]);
	});

	it("stays short, and keeps what is at risk", () => {
		const hosts = Array.from({ length: 50 }, (_, index) => pending("not-allowed", `host ${index}`, NOW));
		const messages = describeAll(...hosts);
		expect(messages).toHaveLength(11);
		expect(messages.at(-2)).toBe("and 41 more obstacles");
		expect(messages.at(-1)).toContain("50 recordings are at risk");
	});

	it("says nothing of what has not failed, or has time", () => {
		expect(describeAll(pending(undefined, "", NOW), pending("busy", "503", NOW + 2 * HOUR))).toEqual([]);
	});
});

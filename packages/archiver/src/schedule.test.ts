import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PendingRecording } from "./pending.js";
import { scheduleNext } from "./schedule.js";

const NOW = 1_000;
const pending = (stream: string, deadline: number, nextAttemptAt?: number): PendingRecording => ({
	stream,
	deadline,
	host: "h",
	newestLink: stream,
	attempts: 0,
	refusals: 0,
	metadata: {},
	...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
});
const schedule = (recordings: readonly PendingRecording[], free = 2, busy: readonly string[] = []) => {
	const { due, nextDueAt } = scheduleNext(recordings, {
		now: NOW,
		free,
		isBusy: (stream) => busy.includes(stream),
	});
	return [due.map(({ stream }) => stream), nextDueAt];
};

describe("scheduleNext", () => {
	it("begins nothing that is busy, not due, or does not fit", () => {
		const recordings = [pending("a", 1), pending("b", 2, NOW + 5), pending("c", 3, NOW + 3), pending("d", 4)];
		expect(schedule(recordings, 0)).toEqual([[], NOW + 3]);
		expect(schedule(recordings, 2, ["a", "c"])).toEqual([["d"], NOW + 5]);
		expect(schedule([])).toEqual([[], undefined]);
	});

	it("begins a recording whose deadline is long past like any other", () => {
		expect(schedule([pending("a", -10_000_000)])).toEqual([["a"], undefined]);
	});

	it("takes the earliest deadlines of those that are due", () => {
		const deadlines = fc.array(fc.integer(), { maxLength: 40 });
		fc.assert(
			fc.property(deadlines, fc.integer({ min: 1, max: 8 }), (all, free) => {
				const recordings = all.map((deadline, index) => pending(String(index), deadline));
				const { due } = scheduleNext(recordings, { now: NOW, free, isBusy: () => false });
				const earliest = all.sort((left, right) => left - right).slice(0, free);
				expect(due.map(({ deadline }) => deadline)).toEqual(earliest);
			}),
		);
	});
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FailureReason, failureKind } from "./failure.js";
import {
	decideNextStep,
	type FailedAttempt,
	type NextStep,
	DEFAULT_RETRY_POLICY as policy,
} from "./retry.js";

const NOW = Date.UTC(2026, 10, 23);
const HOUR = 3_600_000;
const OVER = policy.graceMs;

function next(reason: FailureReason, attempt: Partial<FailedAttempt> = {}): NextStep {
	const defaults = { attempts: 1, refusals: 1, deadline: NOW + HOUR, now: NOW, random: 0.5 };
	return decideNextStep({ ...defaults, ...attempt, reason }, policy);
}

const reasons = fc.constantFrom<FailureReason>(
	"expired",
	"refused",
	"not-found",
	"not-allowed",
	"busy",
	"failed",
	"broke-off",
	"mismatch",
	"too-large",
	"storage",
	"sealed",
);
const attempts = fc.record({
	reason: reasons,
	attempts: fc.integer({ min: 1, max: 1_000 }),
	refusals: fc.integer({ min: 0, max: 10 }),
	deadline: fc.integer({ min: NOW - 400 * 24 * HOUR, max: NOW + 400 * 24 * HOUR }),
	now: fc.constant(NOW),
	random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
	retryAfterMs: fc.option(fc.integer({ min: 0, max: 24 * HOUR }), { nil: undefined }),
});

describe("decideNextStep", () => {
	it.each(["busy", "failed", "broke-off", "mismatch"] as const)("ends %s at deadline + grace", (reason) => {
		expect(next(reason, { deadline: NOW - OVER })).toEqual({ _tag: "Expire", cause: "deadline" });
		expect(next(reason, { deadline: NOW - OVER + 1 })).toEqual({ _tag: "Retry", at: NOW + 1 });
	});

	it("believes the origin at once that a link has expired, whatever the deadline says", () => {
		expect(next("expired")).toEqual({ _tag: "Expire", cause: "refused" });
	});

	it.each(["refused", "not-found"] as const)("asks again before it believes %s", (reason) => {
		expect(next(reason, { refusals: 3 })).toEqual({ _tag: "Retry", at: NOW + policy.confirmationDelayMs });
		expect(next(reason, { refusals: 4 })).toEqual({ _tag: "Abandon", cause: reason });
		expect(next(reason, { refusals: 1, deadline: NOW - OVER })).toEqual({ _tag: "Abandon", cause: reason });
	});

	it.each(["not-allowed", "too-large", "storage", "sealed"] as const)("never ends %s by time", (reason) => {
		expect(next(reason, { deadline: NOW - 1_000 * HOUR })._tag).toBe("Retry");
	});

	it("waits as long as the origin asks, but not beyond half of the time left", () => {
		expect(next("busy", { retryAfterMs: HOUR / 4 })).toEqual({ _tag: "Retry", at: NOW + HOUR / 4 });
		expect(next("busy", { retryAfterMs: HOUR })).toEqual({ _tag: "Retry", at: NOW + HOUR / 2 });
	});

	it("schedules no retry of what time ends behind deadline + grace, and none in the past", () => {
		fc.assert(
			fc.property(attempts, (attempt) => {
				const step = decideNextStep(attempt, policy);
				if (step._tag !== "Retry") return;
				expect(Number.isSafeInteger(step.at)).toBe(true);
				expect(step.at).toBeGreaterThan(NOW);
				if (failureKind(attempt.reason) === "ours") return;
				expect(step.at).toBeLessThanOrEqual(attempt.deadline + policy.graceMs);
			}),
		);
	});

	it("retries no sooner after more attempts", () => {
		fc.assert(
			fc.property(attempts, (attempt) => {
				const sooner = decideNextStep(attempt, policy);
				const later = decideNextStep({ ...attempt, attempts: attempt.attempts + 1 }, policy);
				expect(later._tag).toBe(sooner._tag);
				if (later._tag === "Retry" && sooner._tag === "Retry") {
					expect(later.at).toBeGreaterThanOrEqual(sooner.at);
				}
			}),
		);
	});

	it("brings every recording to rest that time can end, after at least one attempt", () => {
		const week = fc.integer({ min: NOW - 24 * HOUR, max: NOW + 7 * 24 * HOUR });
		const passing = reasons.filter((reason) => failureKind(reason) !== "ours");
		const draws = fc.infiniteStream(fc.tuple(passing, fc.double({ min: 0, max: 0.999, noNaN: true })));
		fc.assert(
			fc.property(week, draws, (deadline, outcomes) => {
				let now = NOW;
				let refusals = 0;
				let made = 0;
				for (const [reason, random] of outcomes) {
					made += 1;
					refusals = failureKind(reason) === "object" ? refusals + 1 : 0;
					const step = decideNextStep({ reason, attempts: made, refusals, deadline, now, random }, policy);
					if (step._tag !== "Retry") break;
					now = step.at;
					// A week of five-minute delays, and the quickening near the end.
					expect(made).toBeLessThan(20_000);
				}
				expect(made).toBeGreaterThan(0);
				expect(now).toBeLessThanOrEqual(Math.max(NOW, deadline + policy.graceMs));
			}),
			{ numRuns: 50 },
		);
	});
});

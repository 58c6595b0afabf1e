import { describe, expect, it } from "vitest";
import type { Clock, Problem } from "./ports/runtime.js";
import { checkReadiness } from "./readiness.js";

const healthOf = (problems: readonly Problem[]) => ({ check: async () => problems });
/** Whose sleepers sleep on. */
const clock: Clock = { now: () => 0, sleep: () => new Promise(() => {}) };

describe("checkReadiness", () => {
	it("is ready when nothing is wrong", async () => {
		expect(await checkReadiness(healthOf([]), clock, "http")).toEqual({ status: "ready", problems: [] });
	});

	it("is degraded as long as callbacks can be received, failing otherwise", async () => {
		const degraded: Problem = { source: "archiver", message: "slow", severity: "degraded" };
		const failing: Problem = { source: "storage-fs", message: "full" };
		expect((await checkReadiness(healthOf([degraded]), clock, "http")).status).toBe("degraded");
		const both = await checkReadiness(healthOf([degraded, failing]), clock, "http");
		expect(both).toEqual({ status: "failing", problems: [degraded, failing] });
	});

	it("fails when the check fails, and says nothing of why", async () => {
		const broken = { check: () => Promise.reject(new Error("password=1")) };
		expect(await checkReadiness(broken, clock, "grpc")).toEqual({
			status: "failing",
			problems: [{ source: "grpc", message: "the health check failed" }],
		});
	});

	it("fails when the check takes longer than 5 s", async () => {
		const slept: number[] = [];
		const passing: Clock = { now: () => 0, sleep: async (delayMs) => void slept.push(delayMs) };
		const { problems } = await checkReadiness({ check: () => new Promise(() => {}) }, passing, "grpc");
		expect(slept).toEqual([5_000]);
		expect(problems).toEqual([{ source: "grpc", message: "the health check takes too long" }]);
	});
});

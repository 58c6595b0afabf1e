import { describe, expect, it } from "vitest";
import { createPauses } from "./pauses.js";

const NOW = Date.UTC(2026, 10, 23);
const policy = { maxDelayMs: 300_000 };

describe("pauses", () => {
	it("are none, and nobody probes, before there was a fault", () => {
		const pauses = createPauses(policy);
		expect([pauses.until(), pauses.isProbing(), pauses.message()]).toEqual([0, false, undefined]);
	});

	it("last a second at first, twice as long each time, and never longer than the longest delay", () => {
		const pauses = createPauses(policy);
		const seconds = Array.from({ length: 11 }, (_, times) => {
			const now = NOW + times * 1_000_000;
			pauses.fault("the disk is full", now);
			return (pauses.until() - now) / 1_000;
		});
		expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
	});

	it("last no longer than the longest delay where that is below a second, and after any number of faults", () => {
		const pauses = createPauses({ maxDelayMs: 40 });
		for (let times = 0; times < 3_000; times += 1) pauses.fault("the disk is full", NOW);
		expect(pauses.until()).toBe(NOW + 40);
	});

	it("say what the last fault was, until an attempt got through; then they start anew", () => {
		const pauses = createPauses(policy);
		pauses.fault("the log cannot be written", NOW);
		pauses.fault("the disk is full", NOW);
		expect([pauses.isProbing(), pauses.message()]).toEqual([true, "the disk is full"]);
		pauses.passed();
		expect([pauses.isProbing(), pauses.message()]).toEqual([false, undefined]);
		pauses.fault("again", NOW);
		expect(pauses.until()).toBe(NOW + 1_000);
	});

	it("are over by time alone, and somebody probes then", () => {
		const pauses = createPauses(policy);
		pauses.fault("the disk is full", NOW);
		expect(pauses.until()).toBeLessThanOrEqual(NOW + 1_000);
		expect(pauses.isProbing()).toBe(true);
	});

	it("are not doubled by what failed together", () => {
		const pauses = createPauses(policy);
		for (let times = 0; times < 8; times += 1) pauses.fault("the disk is full", NOW + times);
		expect(pauses.until()).toBeLessThan(NOW + 2_000);
	});
});

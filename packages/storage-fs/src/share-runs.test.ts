import { expect, test } from "vitest";
import { shareRuns } from "./share-runs.js";
import { rejection } from "./test-store.js";

test("a run that fails fails those who share it, and nobody after them", async () => {
	let runs = 0;
	const run = shareRuns(async () => {
		runs += 1;
		if (runs === 1) throw new Error("once");
	});
	const [first, second] = [rejection(run()), rejection(run())];
	expect(await first).toMatchObject({ message: "once" });
	expect(await second).toBeUndefined();
});

test("runs never overlap, and every call is served by a run that began after it", async () => {
	let isRunning = false;
	let begun = 0;
	const run = shareRuns(async () => {
		expect(isRunning).toBe(false);
		isRunning = true;
		begun += 1;
		for (let turn = 0; turn < begun % 5; turn += 1) await Promise.resolve();
		isRunning = false;
	});
	const callers = Array.from({ length: 50 }, async (_, caller) => {
		for (let round = 0; round < 20; round += 1) {
			for (let turn = 0; turn < (caller * 7 + round) % 11; turn += 1) await Promise.resolve();
			const before = begun;
			await run();
			expect(begun).toBeGreaterThan(before);
		}
	});
	await Promise.all(callers);
	expect(begun).toBeLessThan(1000);
});

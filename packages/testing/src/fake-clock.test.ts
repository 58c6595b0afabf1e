import { setTimeout as sleepReally } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createFakeClock } from "./fake-clock.js";
import { startTestReelkeep } from "./start-test-reelkeep.js";

describe("a fake clock", () => {
	it("stands still until it is advanced, and wakes sleepers in the order of their time", async () => {
		const clock = createFakeClock(1_000);
		const woken: string[] = [];
		const sleep = async (name: string, delayMs: number, again = 0): Promise<void> => {
			await clock.sleep(delayMs);
			woken.push(`${name} at ${clock.now()}`);
			if (again > 0) await sleep(`${name} again`, again);
		};
		const all = [sleep("late", 300), sleep("early", 100, 150)];
		await sleepReally(20);
		expect({ now: clock.now(), woken, sleepers: clock.sleepers }).toEqual({
			now: 1_000,
			woken: [],
			sleepers: 2,
		});
		await clock.advance(1_000);
		await Promise.all(all);
		expect(woken).toEqual(["early at 1100", "early again at 1250", "late at 1300"]);
		expect({ now: clock.now(), sleepers: clock.sleepers }).toEqual({ now: 2_000, sleepers: 0 });
	});

	it("never goes back: moves that overlap come one after the other", async () => {
		const clock = createFakeClock(0);
		const seen: string[] = [];
		const note = (what: string) => () => seen.push(`${what} at ${clock.now()}`);
		const woken = clock.sleep(5).then(async () => {
			await clock.advance(1_000).then(note("from within"));
		});
		await Promise.all([
			clock.advance(100).then(note("first")),
			clock.advance(50).then(note("second")),
			clock.sleep(120).then(note("sleeper")),
		]);
		await woken;
		expect(seen).toEqual(["first at 100", "sleeper at 120", "second at 150", "from within at 1150"]);
	});

	it("wakes a sleeper whose signal aborts, and lets nobody sleep whose signal has", async () => {
		const clock = createFakeClock();
		const stop = new AbortController();
		const sleeping = clock.sleep(1_000, stop.signal);
		stop.abort();
		await sleeping;
		await clock.sleep(1_000, stop.signal);
		expect(clock.sleepers).toBe(0);
	});
});

it("lets a subscription's pauses pass: 3.1 s until a recording is parked, and its next try", async () => {
	const reelkeep = await startTestReelkeep();
	const began = reelkeep.clock.now();
	const tries: number[] = [];
	const subscription = reelkeep.subscribe("mail", async () => {
		tries.push(reelkeep.clock.now() - began);
		throw new Error("the mail server is down");
	});
	await reelkeep.report();
	await reelkeep.clock.advance(3_099);
	expect(tries).toEqual([0, 100, 300, 700, 1_500]);
	expect(subscription.parked()).toEqual([]);
	await reelkeep.clock.advance(1);
	expect(tries.at(-1)).toBe(3_100);
	const [parked] = subscription.parked();
	expect(parked).toBeDefined();
	// 5 to 10 s later.
	await reelkeep.clock.advance(4_900);
	expect(tries).toHaveLength(6);
	await reelkeep.clock.advance(5_100);
	expect(tries).toHaveLength(7);
	await reelkeep.stop();
});

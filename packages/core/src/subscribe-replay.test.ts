import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SubscribeOptions } from "./subscribe.js";
import { given, parksSoon, passes, subscribed } from "./test-subscription.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 0 }));
afterEach(() => vi.useRealTimers());

describe("a replay", () => {
	test("hands out again what is behind a position, no faster than it may, with the same identity", async () => {
		const { append, start, tries, deliveries } = subscribed();
		await append(5);
		const subscription = start();
		await subscription.whenCaughtUp();
		const [third] = [tries.length];
		expect(third).toBe(5);
		const done = subscription.replay({ after: "2" as never, eventsPerSecond: 2 });
		await passes(400);
		expect(tries.slice(5)).toEqual(["e3"]);
		await append(1);
		await passes(2_000);
		expect(await done).toBe(3);
		expect(tries.slice(5)).toEqual(["e3", "e6", "e4", "e5"]);
		const ofE3 = deliveries.filter(({ id }) => id === "billing/e3");
		expect(ofE3.map(({ attempt, isReplay }) => [attempt, isReplay])).toEqual([
			[1, false],
			[1, true],
		]);
		await subscription.stop();
	});

	test("parks what fails like anything else, and ends", async () => {
		const { append, start, handled, broken } = subscribed();
		await append(4);
		const subscription = start();
		await subscription.whenCaughtUp();
		broken.add("e1");
		const done = subscription.replay({ eventsPerSecond: 1_000 });
		await passes(1_000);
		expect(await done).toBe(4);
		expect(subscription.parked()).toMatchObject([{ eventId: "e1" }]);
		broken.clear();
		await passes(20_000);
		expect(handled.slice(-2)).toEqual(["e1", "e4"]);
		await subscription.stop();
	});

	test("rejects when the subscription is stopped before, and for a rate that is none", async () => {
		const { append, start } = subscribed();
		await append(4);
		const subscription = start();
		await subscription.whenCaughtUp();
		await expect(subscription.replay({ eventsPerSecond: 0 })).rejects.toThrow(RangeError);
		const done = subscription.replay({ eventsPerSecond: 1 }).catch((error: unknown) => error);
		await passes(10);
		await subscription.stop();
		expect(String(await done)).toContain("ended before its replay");
	});
});

describe("a subscription that is live-only", () => {
	const liveOnly: SubscribeOptions = { ...parksSoon, liveOnly: true };

	test("is handed nothing that was there before its first start, also after a crash, and nothing twice", async () => {
		const { append, start, handled, memory } = subscribed(liveOnly);
		await append(3);
		const first = start();
		await first.whenCaughtUp();
		expect(handled).toEqual([]);
		await first.stop();
		await append(1);
		const second = start();
		await second.whenCaughtUp();
		expect(handled).toEqual(["e4"]);
		await expect(second.replay()).rejects.toThrow("live-only");
		await second.stop();
		await memory.close();
	});

	test("that began on an empty log is handed what came while it was stopped", async () => {
		const { append, start, handled } = subscribed(liveOnly);
		const first = start();
		await passes(10);
		await first.stop();
		await append(2);
		const second = start();
		await second.whenCaughtUp();
		expect(handled).toEqual(["e1", "e2"]);
		await second.stop();
	});
});

test("options that make no sense are refused by name", () => {
	const { start } = given();
	const bad: readonly (readonly [SubscribeOptions, string])[] = [
		[{ order: "recording", concurrency: 0 }, "concurrency"],
		[{ order: "recording", concurrency: 1_001 }, "concurrency"],
		[{ order: "recording", maxParked: 1.5 }, "maxParked"],
		[{ order: "recording", triesBeforeParking: 5, maxTries: 4 }, "maxTries"],
		[{ order: "log", concurrency: 2 }, "order of the log"],
		[{ order: "log", maxParked: 2 }, "order of the log"],
	];
	for (const [options, message] of bad) expect(() => start(undefined, "mail", options)).toThrow(message);
});

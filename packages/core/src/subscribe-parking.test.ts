import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { storeFault } from "./ports/index.js";
import type { SubscribeOptions, SubscriptionHandler } from "./subscribe.js";
import { clock, given, idsOfStream, parksSoon, passes, subscribed } from "./test-subscription.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 0 }));
afterEach(() => vi.useRealTimers());

const MINUTE = 60_000;
describe("a recording whose event keeps failing", () => {
	test("is parked with its later events, and others go on", async () => {
		const { append, start, handled, broken, logged, kept } = subscribed();
		broken.add("e1");
		await append(7);
		const subscription = start();
		await passes(200);
		await subscription.whenCaughtUp();
		expect(handled).toEqual(["e2", "e3", "e5", "e6"]);
		expect(subscription.parked()).toMatchObject([
			{ stream: "stream-1", version: 1, eventId: "e1", failures: 2, error: "TypeError", parkedAt: 100 },
		]);
		expect(subscription.problem()).toBe(
			"subscription billing has parked 1 recording: their handler keeps failing",
		);
		expect(Number.isInteger(subscription.parked()[0]?.nextTryAt)).toBe(true);
		const [told] = logged.filter((line) => "nextTryAt" in (line as object));
		expect(told).toMatchObject({ id: "e1", failures: 2, error: { name: "TypeError" } });
		expect(JSON.stringify(told)).toContain("test-subscription.ts");
		expect(JSON.stringify(logged)).not.toContain("secret");
		await append(3);
		await subscription.whenCaughtUp();
		expect(handled).toEqual(["e2", "e3", "e5", "e6", "e8", "e9"]);
		await subscription.stop();
		expect(Number(await kept.load("billing"))).toBeGreaterThan(10);
	});

	test("goes on by itself, in order, once the handler works, and what comes meanwhile waits behind it", async () => {
		const { append, start, handled, broken } = subscribed();
		broken.add("e1");
		await append(7);
		const subscription = start();
		await passes(200);
		broken.clear();
		await append(3);
		await passes(20_000);
		expect(handled.filter((id) => ["e1", "e4", "e7", "e10"].includes(id))).toEqual(["e1", "e4", "e7", "e10"]);
		expect(subscription.parked()).toEqual([]);
		expect(subscription.problem()).toBeUndefined();
		await append(3);
		await subscription.whenCaughtUp();
		expect(handled).toHaveLength(13);
		await subscription.stop();
	});

	test("stays parked over a restart, with its count and its next try", async () => {
		const { append, start, handled, broken, tries, deliveries } = subscribed();
		broken.add("e1");
		await append(4);
		const first = start();
		await passes(200);
		const [before] = first.parked();
		await first.stop();
		const second = start();
		await second.whenCaughtUp();
		expect(second.parked()).toEqual([before]);
		expect(tries.filter((id) => id === "e4")).toEqual([]);
		await passes(Number(before?.nextTryAt) - Date.now() - 1);
		expect(tries.filter((id) => id === "e1")).toHaveLength(2);
		broken.clear();
		await passes(1);
		expect(handled).toEqual(["e2", "e3", "e1", "e4"]);
		const toE1 = deliveries.filter(({ id }) => id === "billing/e1");
		expect(toE1.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
		await second.stop();
	});

	test("is tried with pauses that grow, then waits until it is asked for", async () => {
		const { append, start, handled, broken, tries } = subscribed();
		broken.add("e1");
		await append(1);
		const subscription = start();
		await passes(2 * MINUTE);
		expect(tries).toHaveLength(4);
		expect(subscription.parked()).toMatchObject([{ failures: 4, nextTryAt: null }]);
		broken.clear();
		expect(subscription.retryParked("another")).toBe(0);
		expect(subscription.retryParked()).toBe(1);
		await passes();
		expect(handled).toEqual(["e1"]);
		expect(subscription.parked()).toEqual([]);
		await subscription.stop();
	});

	test("parks again at the event that fails next", async () => {
		const { append, start, handled, broken } = subscribed();
		broken.add("e1");
		await append(7);
		const subscription = start();
		await passes(200);
		broken.clear();
		broken.add("e4");
		subscription.retryParked();
		await passes(200);
		expect(subscription.parked()).toMatchObject([{ eventId: "e4", version: 2, failures: 2, parkedAt: 100 }]);
		broken.clear();
		await passes(20_000);
		expect(handled).toEqual(["e2", "e3", "e5", "e6", "e1", "e4", "e7"]);
		await subscription.stop();
	});

	test("is read on however much has come of it meanwhile", async () => {
		const { append, start, handled, broken } = subscribed();
		broken.add("e1");
		await append(600);
		const subscription = start();
		await passes(200);
		await subscription.whenCaughtUp();
		broken.clear();
		await passes(20_000);
		const ofThree = handled.filter((id) => Number(id.slice(1)) % 3 === 1);
		expect(ofThree).toEqual(Array.from({ length: 200 }, (_, at) => `e${at * 3 + 1}`));
		await subscription.stop();
	});

	test("holds the others up when too many are parked", async () => {
		const { append, start, handled, broken } = subscribed({ ...parksSoon, maxParked: 1 });
		for (const id of ["e1", "e2"]) broken.add(id);
		await append(3);
		const subscription = start();
		await passes(2_000);
		expect(subscription.parked()).toHaveLength(1);
		expect(subscription.problem()).toMatch(
			/^subscription billing is stuck at position 2: its handler failed \d times$/,
		);
		await subscription.stop();
		expect(handled).toEqual(["e3"]);
	});

	test("of two owners one ends, and says why", async () => {
		const { append, start, broken } = subscribed();
		broken.add("e1");
		await append(1);
		const [first, second] = [start(), start()];
		const ended = Promise.race([first.ended, second.ended]).catch((error: unknown) => error);
		await passes(500);
		expect(await ended).toMatchObject({ reason: "owned" });
		await Promise.all([first.stop(), second.stop()]);
	});

	test("is parked once although the log's answer was lost", async () => {
		let lost = 1;
		const flaws: Parameters<typeof given>[0] = {
			store: (memory) => ({
				async append(stream, events, expected) {
					const result = await memory.append(stream, events, expected);
					if (stream.startsWith("subscription-") && lost-- > 0) throw storeFault("io", "no answer");
					return result;
				},
			}),
		};
		const { append, start, broken } = subscribed(parksSoon, flaws);
		broken.add("e1");
		await append(2);
		const subscription = start();
		await passes(2_000);
		expect(subscription.parked()).toHaveLength(1);
		expect(subscription.problem()).toContain("has parked");
		await subscription.stop();
		await subscription.ended;
	});
});

describe("handlers at once", () => {
	test("are as many as asked for, never two of one recording, and the checkpoint waits for the slowest", async () => {
		const { append, start, kept } = given();
		await append(9);
		const busy = new Set<string>();
		let most = 0;
		let total = 0;
		const subscription = start(
			async ({ stream, id }) => {
				expect(busy.has(stream)).toBe(false);
				busy.add(stream);
				most = Math.max(most, busy.size);
				await clock.sleep(id === "e1" ? 1_000 : 10);
				busy.delete(stream);
				total += 1;
			},
			"mail",
			{ order: "recording", concurrency: 2 },
		);
		await passes(500);
		expect([most, total]).toEqual([2, 6]);
		const [stopped] = [subscription.stop(), await passes(100)];
		expect(await kept.load("mail")).toBeUndefined();
		await Promise.all([stopped, passes(1_000)]);
		expect(await kept.load("mail")).toBe("3");
	});

	test("one at a time come in position order", async () => {
		const { append, start, handled } = given();
		await append(50);
		const subscription = start(undefined, "mail", { order: "recording" });
		await subscription.whenCaughtUp();
		expect(handled).toEqual(Array.from({ length: 50 }, (_, at) => `e${at + 1}`));
		await subscription.stop();
	});
});

test("whatever fails, stops and comes, every event is handled, each recording in order", async () => {
	const step = fc.oneof(
		fc.record({ _tag: fc.constant("Append" as const), count: fc.integer({ min: 1, max: 20 }) }),
		fc.record({ _tag: fc.constant("Pass" as const), ms: fc.nat({ max: 40_000 }) }),
		fc.constant({ _tag: "Restart" as const }),
		fc.record({ _tag: fc.constant("Break" as const), modulus: fc.integer({ min: 2, max: 7 }) }),
		fc.constant({ _tag: "Mend" as const }),
		fc.constant({ _tag: "Replay" as const }),
	);
	const run = fc.record({
		steps: fc.array(step, { minLength: 1, maxLength: 15 }),
		concurrency: fc.integer({ min: 1, max: 4 }),
		maxParked: fc.integer({ min: 1, max: 3 }),
	});
	let parkedOnce = 0;
	const property = fc.asyncProperty(run, async ({ steps, concurrency, maxParked }) => {
		const { append, start } = given();
		const firsts = new Map<string, string[]>();
		let appended = 0;
		let modulus = 0;
		const handler: SubscriptionHandler = async ({ id, stream }) => {
			const number = Number(id.slice(1));
			await clock.sleep(number % 3);
			if (modulus > 0 && number % modulus === 0) throw new Error("broken");
			const seen = firsts.get(stream) ?? [];
			firsts.set(stream, seen.includes(id) ? seen : [...seen, id]);
		};
		const options: SubscribeOptions = { ...parksSoon, concurrency, maxParked };
		let subscription = start(handler, "mail", options);
		for (const each of steps) {
			if (each._tag === "Append") {
				appended += each.count;
				await append(each.count);
			} else if (each._tag === "Pass") await passes(each.ms);
			else if (each._tag === "Break") modulus = each.modulus;
			else if (each._tag === "Mend") modulus = 0;
			else if (each._tag === "Replay") {
				subscription.replay({ eventsPerSecond: 50 }).catch(() => undefined);
				await passes(100);
			} else {
				await Promise.all([subscription.stop(), passes(10)]);
				subscription = start(handler, "mail", options);
			}
			parkedOnce += subscription.parked().length;
		}
		modulus = 0;
		// Whoever waits in memory waits 30 s at most.
		await passes(31_000);
		subscription.retryParked();
		await passes(31_000);
		subscription.retryParked();
		await passes(31_000);
		expect(subscription.problem()).toBeUndefined();
		await Promise.all([subscription.stop(), passes(10)]);
		for (const remainder of [0, 1, 2]) {
			expect(firsts.get(`stream-${remainder}`) ?? []).toEqual(idsOfStream(remainder, appended));
		}
	});
	await fc.assert(property, { numRuns: 150 });
	expect(parkedOnce).toBeGreaterThan(20);
}, 60_000);

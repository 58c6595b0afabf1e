// What is rare: crashes at the wrong moment, limits, and who looks on.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { storeFault } from "./ports/index.js";
import { clock, given, parksSoon, passes, subscribed } from "./test-subscription.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 0 }));
afterEach(() => vi.useRealTimers());

const noted = (id: string) => ({ id, type: "Noted", schemaVersion: 1, data: {}, metadata: {} });

test("a parked event keeps its count when the checkpoint was not saved before a crash", async () => {
	let failing = true;
	const { append, start, broken, deliveries } = subscribed(parksSoon, {
		checkpoints: (kept) => ({
			async save(...given) {
				if (failing) throw storeFault("io", "down");
				return kept.save(...given);
			},
		}),
	});
	broken.add("e1");
	await append(2);
	const first = start();
	await passes(200);
	await first.stop();
	await passes(20_000);
	failing = false;
	const second = start();
	await passes(1_000);
	const toE1 = deliveries.filter(({ id }) => id === "billing/e1");
	expect(toE1.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
	await second.stop();
});

test("no more recordings are parked than may be when several fail at once", async () => {
	const slowly: Parameters<typeof given>[0] = {
		store: (memory) => ({
			async append(stream, ...rest) {
				if (stream.startsWith("subscription-")) await clock.sleep(50);
				return memory.append(stream, ...rest);
			},
		}),
	};
	const { append, start, broken } = subscribed({ ...parksSoon, maxParked: 1, concurrency: 3 }, slowly);
	for (const id of ["e1", "e2", "e3"]) broken.add(id);
	await append(3);
	const subscription = start();
	await passes(300);
	expect(subscription.parked()).toHaveLength(1);
	await subscription.stop();
});

test("a subscription reads no further than it may past a handler that hangs", async () => {
	const { memory, start, append } = given();
	await append(1);
	for (let at = 0; at < 200; at += 1) {
		await memory.append(
			"other",
			Array.from({ length: 64 }, (_, index) => noted(`o${at}-${index}`)),
			"any",
		);
	}
	let count = 0;
	let release = (): void => undefined;
	const subscription = start(
		async ({ id }) => {
			count += 1;
			if (id === "e1")
				await new Promise<void>((resolve) => {
					release = resolve;
				});
		},
		"mail",
		{ order: "recording", concurrency: 2 },
	);
	for (let at = 0; at < 50; at += 1) await passes(100);
	expect(count).toBeLessThanOrEqual(10_001);
	release();
	for (let at = 0; at < 50; at += 1) await passes(100);
	expect(count).toBe(12_801);
	await subscription.stop();
});

test("a subscription is handed events of a stream of the user's own whose name begins like a ledger's", async () => {
	const { memory, start, handled } = subscribed();
	await memory.append("subscription-of-mine", [noted("m1")], "any");
	const subscription = start();
	await subscription.whenCaughtUp();
	expect(handled).toEqual(["m1"]);
	await subscription.stop();
});

test("what is parked keeps its order when the subscription is started again in the order of the log", async () => {
	const { append, start, handled, broken } = subscribed({}, {}, 10);
	broken.add("e1");
	await append(1);
	const first = start(parksSoon);
	await passes(200);
	await Promise.all([first.stop(), passes(20)]);
	await append(6);
	const second = start({ order: "log" });
	await passes(1_000);
	broken.clear();
	await passes(60_000);
	expect(handled.filter((id) => ["e1", "e4", "e7"].includes(id))).toEqual(["e1", "e4", "e7"]);
	await second.stop();
});

test("a replay asked for at once after a restart waits for the checkpoint", async () => {
	const { append, start, handled } = subscribed();
	await append(3);
	const first = start();
	await first.whenCaughtUp();
	await first.stop();
	const second = start();
	const done = second.replay();
	await passes(1_000);
	expect(await done).toBe(3);
	expect(handled).toHaveLength(6);
	await second.stop();
});

test("what a replay parked comes again as a replay, and what is new does not", async () => {
	const { append, start, broken, deliveries } = subscribed();
	await append(4);
	const subscription = start();
	await subscription.whenCaughtUp();
	broken.add("e1");
	const done = subscription.replay({ eventsPerSecond: 1_000 });
	await passes(500);
	await done;
	await append(3);
	await passes(600);
	await subscription.stop();
	const again = start();
	await passes(600);
	broken.clear();
	const before = deliveries.length;
	again.retryParked();
	await passes(500);
	expect(deliveries.slice(before).map(({ id, isReplay }) => [id, isReplay])).toEqual([
		["billing/e1", true],
		["billing/e4", true],
		["billing/e7", false],
	]);
	await again.stop();
});

test("an onFailure that rejects is no unhandled rejection", async () => {
	const seen: unknown[] = [];
	const listen = (error: unknown): void => void seen.push(error);
	process.on("unhandledRejection", listen);
	const { append, start, broken } = subscribed({
		...parksSoon,
		onFailure: async () => {
			throw new Error("telemetry is away");
		},
	});
	broken.add("e1");
	await append(1);
	const subscription = start();
	await passes(200);
	await new Promise((resolve) => setImmediate(resolve));
	process.off("unhandledRejection", listen);
	expect(seen).toEqual([]);
	await subscription.stop();
});

test("a replay that was held up does not make up for it at once", async () => {
	let isAway = false;
	const { append, start, tries } = subscribed(parksSoon, {
		store: (memory) => ({
			async *readAll(options) {
				for await (const event of memory.readAll(options)) {
					if (isAway && event.id === "e2") await new Promise((resolve) => setTimeout(resolve, 5_000));
					yield event;
				}
			},
		}),
	});
	await append(20);
	const subscription = start();
	await subscription.whenCaughtUp();
	isAway = true;
	const done = subscription.replay({ eventsPerSecond: 2 });
	await passes(5_300);
	expect(tries.slice(20)).toEqual(["e1", "e2"]);
	isAway = false;
	await passes(20_000);
	expect(await done).toBe(20);
	await subscription.stop();
});

/** One event is handled; then the log's end cannot be read, until it is. */
async function givenAwayEnd() {
	const log = { isAway: false };
	const { memory, append, start, handled } = subscribed(parksSoon, {
		store: (memory) => ({
			async *readAll(options) {
				if (log.isAway && options?.direction === "backward") throw storeFault("io", "away");
				yield* memory.readAll(options);
			},
		}),
	});
	await append(1);
	const subscription = start();
	await passes(100);
	log.isAway = true;
	return { memory, append, handled, subscription, log };
}

test("whenCaughtUp waits out a fault of the log that passes", async () => {
	const { handled, subscription, log } = await givenAwayEnd();
	const caughtUp = subscription.whenCaughtUp().then(
		() => "caught up",
		(error: unknown) => error,
	);
	await passes(100);
	log.isAway = false;
	await passes(2_000);
	expect(await caughtUp).toBe("caught up");
	expect(handled).toEqual(["e1"]);
	await subscription.stop();
});

test("whenCaughtUp resolves once it was stopped, also when its store is closed or does not answer", async () => {
	const { memory, append, subscription, log } = await givenAwayEnd();
	const waiting = subscription.whenCaughtUp();
	await passes(100);
	await subscription.stop();
	await waiting;
	log.isAway = false;
	await append(1);
	await subscription.whenCaughtUp();
	await memory.close();
	await subscription.whenCaughtUp();
});

test("an error without a name does not damage what is written down", async () => {
	const { append, start } = given();
	await append(1);
	const handler = async (): Promise<void> => {
		throw Object.assign(new Error("x"), { name: 7 });
	};
	const first = start(handler, "mail", parksSoon);
	await passes(200);
	expect(first.parked()).toHaveLength(1);
	await first.stop();
	const second = start(handler, "mail", parksSoon);
	await passes(200);
	expect(second.problem()).toContain("has parked");
	await second.stop();
});

test("a subscription says so while the log cannot be read", async () => {
	let isAway = false;
	const { append, start, handled } = subscribed(parksSoon, {
		store: (memory) => ({
			async *readAll(options) {
				if (isAway) throw storeFault("io", "the log is away");
				yield* memory.readAll(options);
			},
		}),
	});
	await append(1);
	const subscription = start();
	await passes(100);
	isAway = true;
	await passes(3_000);
	expect(subscription.problem()).toBe("subscription billing waits: the log is away");
	isAway = false;
	await append(1);
	await passes(3_000);
	expect(subscription.problem()).toBeUndefined();
	expect(handled).toEqual(["e1", "e2"]);
	await subscription.stop();
});

test("a subscription has no problem once it was stopped", async () => {
	const { append, start, broken } = subscribed({ ...parksSoon, triesBeforeParking: 4 });
	broken.add("e1");
	await append(1);
	const subscription = start();
	await passes(150);
	expect(subscription.problem()).toContain("stuck");
	await subscription.stop();
	expect(subscription.problem()).toBeUndefined();
});

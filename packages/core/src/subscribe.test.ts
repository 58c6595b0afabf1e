import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toPosition } from "./ports/index.js";
import type { SubscribeOptions } from "./subscribe.js";
import { clock, given, passes } from "./test-subscription.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => vi.useRealTimers());

describe("a handler that fails", () => {
	test("is asked again with growing pauses, and later events wait", async () => {
		const { append, start, handled, logged, kept } = given();
		await append(2);
		let failures = 3;
		const subscription = start(async ({ id }) => {
			handled.push(id);
			if (id === "e1" && failures-- > 0) throw new TypeError("secret words");
		});
		await passes();
		expect(handled).toEqual(["e1"]);
		await passes(99);
		expect(handled).toHaveLength(1);
		await passes(1);
		await passes(200);
		expect(handled).toEqual(["e1", "e1", "e1"]);
		expect(await kept.load("mail")).toBeUndefined();
		await passes(400);
		expect(handled).toEqual(["e1", "e1", "e1", "e1", "e2"]);
		expect(logged).toMatchObject(
			[100, 200, 400].map((delayMs) => ({ id: "e1", error: { name: "TypeError" }, delayMs })),
		);
		expect(JSON.stringify(logged[0])).toContain("subscribe.test.ts");
		expect(JSON.stringify(logged)).not.toContain("secret words");
		await subscription.stop();
	});

	test("keeps nobody waiting for what was there before, though more and more comes", async () => {
		const { append, start, handled } = given();
		await append(3);
		const subscription = start(async ({ id }) => {
			handled.push(id);
			await append(1);
			await clock.sleep(10);
		});
		const caughtUp = subscription.whenCaughtUp().then(() => handled.length);
		await passes(2_000);
		expect(await caughtUp).toBeLessThan(10);
		await Promise.all([subscription.stop(), passes(50)]);
	});

	test("is told of with its error, and is a problem until it succeeds", async () => {
		const { append, start } = given();
		await append(1);
		const failures: unknown[] = [];
		let isBroken = true;
		const handler = async (): Promise<void> => {
			if (isBroken) throw new Error("no mail server");
		};
		const onFailure: SubscribeOptions["onFailure"] = (error, event, attempt) => {
			failures.push([(error as Error).message, event.id, attempt]);
			if (attempt === 2) throw new Error("and the listener fails too");
		};
		const subscription = start(handler, "mail", { onFailure });
		await passes(350);
		expect(failures.slice(0, 2)).toEqual([
			["no mail server", "e1", 1],
			["no mail server", "e1", 2],
		]);
		expect(subscription.problem()).toMatch(
			/^subscription mail is stuck at position 1: its handler failed \d times$/,
		);
		isBroken = false;
		await passes(60_000);
		expect(subscription.problem()).toBeUndefined();
		await subscription.stop();
	});

	test("waits 30 seconds at most", async () => {
		const { append, start, logged } = given();
		await append();
		const subscription = start(() => Promise.reject("no"));
		await passes(10 * 60_000);
		expect(logged.at(-1)).toMatchObject({ delayMs: 30_000, error: { name: "string" } });
		await subscription.stop();
	});

	test("may throw at once instead of rejecting", async () => {
		const { append, start, handled } = given();
		await append();
		let failing = true;
		const subscription = start((event) => {
			handled.push(event.id);
			if (failing) throw new Error("at once");
			return Promise.resolve();
		});
		await passes();
		failing = false;
		await passes(100);
		expect(handled).toEqual(["e1", "e1"]);
		await subscription.stop();
	});

	test("does not keep stop waiting for its next try; the event comes again after a new start", async () => {
		const { append, start, handled, kept } = given();
		await append(2);
		const subscription = start(async ({ id }) => {
			if (id === "e2") throw new Error("no");
		});
		await passes(150);
		await subscription.stop();
		await subscription.ended;
		expect(await kept.load("mail")).toBe("1");
		const again = start();
		await again.whenCaughtUp();
		expect(handled).toEqual(["e2"]);
		await again.stop();
	});

	test("is asked again also when the logger is broken", async () => {
		const { append, start, handled } = given({
			onLog: () => {
				throw new Error("the logger is broken");
			},
		});
		await append();
		let failing = true;
		const subscription = start(async ({ id }) => {
			if (failing) throw new Error("no");
			handled.push(id);
		});
		await passes();
		failing = false;
		await passes(100);
		expect(handled).toEqual(["e1"]);
		await subscription.stop();
	});
});

describe("a subscription", () => {
	test("handles what is there, then what comes, in order, each event once", async () => {
		const { append, start, handled } = given();
		await append(3);
		const subscription = start();
		await subscription.whenCaughtUp();
		expect(handled).toEqual(["e1", "e2", "e3"]);
		await append(2);
		await passes();
		expect(handled).toEqual(["e1", "e2", "e3", "e4", "e5"]);
		await subscription.stop();
	});

	test("hands over one event at a time, as it was stored but for the prefix when its type is unknown", async () => {
		const { append, start } = given();
		await append(3);
		let busy = 0;
		const subscription = start(async (event) => {
			expect(event).toMatchObject({ type: "unknown:Noted", metadata: {}, recordedAt: 0 });
			busy += 1;
			expect(busy).toBe(1);
			await clock.sleep(10);
			busy -= 1;
		});
		await passes(30);
		await subscription.whenCaughtUp();
		await subscription.stop();
		await subscription.ended;
	});

	test("is delivered although every hint is lost", async () => {
		const { append, start, handled } = given({ store: () => ({ onAppended: () => () => undefined }) });
		const subscription = start();
		await passes();
		await append(2);
		await passes(500);
		expect(handled).toEqual(["e1", "e2"]);
		await subscription.stop();
	});

	test("goes on behind its checkpoint after a stop; another name starts from the beginning", async () => {
		const { append, start, handled } = given();
		await append(2);
		const first = start();
		await first.whenCaughtUp();
		await first.stop();
		await append(2);
		await passes(1000);
		expect(handled).toEqual(["e1", "e2"]);
		const second = start();
		await second.whenCaughtUp();
		expect(handled).toEqual(["e1", "e2", "e3", "e4"]);
		await second.stop();
		const others: string[] = [];
		const other = start(async ({ id }) => void others.push(id), "other");
		await other.whenCaughtUp();
		expect(others).toEqual(["e1", "e2", "e3", "e4"]);
		await other.stop();
	});

	test("saves no checkpoint ahead of what was handled, one for 256 events and one at the end", async () => {
		const { append, start, handled, saves, kept } = given({
			checkpoints: (kept) => ({
				async save(name, position, expected) {
					expect(Number(position)).toBeLessThanOrEqual(handled.length);
					saves.push(position);
					return kept.save(name, position, expected);
				},
			}),
		});
		await append(600);
		const subscription = start();
		await subscription.whenCaughtUp();
		expect(saves).toEqual(["256", "512", "600"]);
		await passes(5000);
		expect(saves).toHaveLength(3);
		await subscription.stop();
		expect(saves).toHaveLength(3);
		expect(await kept.load("mail")).toBe("600");
	});

	test("lets the handler under way finish when it is stopped, tells it, and starts no other", async () => {
		const { append, start, handled, kept } = given();
		await append(3);
		let told = false;
		const subscription = start(async ({ id }, { signal }) => {
			await clock.sleep(50);
			told = signal.aborted;
			handled.push(id);
		});
		await passes(10);
		let stopped = false;
		const stopping = Promise.all([subscription.stop(), subscription.stop()]).then(() => {
			stopped = true;
		});
		await passes(30);
		expect([stopped, handled]).toEqual([false, []]);
		await passes(10);
		await stopping;
		await subscription.stop();
		expect([told, handled, await kept.load("mail")]).toEqual([true, ["e1"], "1"]);
	});

	test("is caught up when every event is handled that was in the log when it was asked", async () => {
		const { append, start, handled } = given();
		const subscription = start(async ({ id }) => {
			await clock.sleep(10);
			handled.push(id);
		});
		await subscription.whenCaughtUp();
		await append(2);
		let caughtUp = false;
		const waiting = subscription.whenCaughtUp().then(() => {
			caughtUp = true;
		});
		await passes(10);
		expect([caughtUp, handled]).toEqual([false, ["e1"]]);
		await append();
		await passes(20);
		await waiting;
		expect(handled).toEqual(["e1", "e2", "e3"]);
		await subscription.whenCaughtUp();
		await subscription.stop();
		await subscription.whenCaughtUp();
	});

	test("does not skip events in silence when its checkpoint lies behind the end of the log", async () => {
		const { kept, append, start, handled } = given();
		await kept.save("mail", toPosition(3), undefined);
		await append(2);
		const subscription = start();
		await expect(subscription.ended).rejects.toMatchObject({ reason: "corrupt" });
		expect(subscription.problem()).toMatch(/checkpoint of subscription mail lies behind the end of the log/);
		expect(handled).toEqual([]);
	});

	test("begins where its checkpoint stands, whoever saved it", async () => {
		const { append, start, handled, kept } = given();
		await append(3);
		await kept.save("mail", toPosition(2), undefined);
		const subscription = start();
		await subscription.whenCaughtUp();
		expect(handled).toEqual(["e3"]);
		await subscription.stop();
	});
});

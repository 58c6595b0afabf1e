import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { storeFault } from "./ports/index.js";
import { given, passes } from "./test-subscription.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => vi.useRealTimers());

describe("a subscription that cannot go on", () => {
	test("ends with a fault when another owner moves its checkpoint", async () => {
		const { append, start, logged } = given();
		await append(2);
		const [first, second] = [start(), start()];
		const ended = [first, second].map(({ ended }) =>
			ended.then(
				() => "ended",
				(error: unknown) => error,
			),
		);
		await passes();
		await first.stop();
		const fault = await ended[1];
		expect(fault).toMatchObject({ _tag: "StoreFault", reason: "owned", retryable: false });
		expect(String(fault)).toContain("mail");
		expect(await ended[0]).toBe("ended");
		await append();
		await expect(second.whenCaughtUp()).rejects.toBe(fault);
		expect(logged).toMatchObject([{ subscription: "mail" }]);
		await second.stop();
	});

	test("ends with the log's final fault, having saved nothing that it did not handle", async () => {
		const { append, start, handled, kept } = given({
			store: (memory) => ({
				async *readAll(options) {
					for await (const event of memory.readAll(options)) {
						if (event.position === "3") throw storeFault("corrupt", "line 3");
						yield event;
					}
				},
			}),
		});
		await append(4);
		const subscription = start();
		await expect(subscription.ended).rejects.toMatchObject({ reason: "corrupt" });
		expect(handled).toEqual(["e1", "e2"]);
		expect([undefined, "1", "2"]).toContain(await kept.load("mail"));
	});

	test("ends at an event of ours that does not decode, naming its id and none of its data", async () => {
		const { memory, start } = given();
		const data = { downloadUrl: "http://h/?Signature=x" };
		const event = { id: "bad", type: "RecordingReported", schemaVersion: 1, data, metadata: {} };
		await memory.append("recording-a", [event], "no-stream");
		const subscription = start();
		const error = await subscription.ended.then(
			() => undefined,
			(it: unknown) => String(it),
		);
		expect(error).toContain("bad");
		expect(error).not.toContain("Signature");
	});

	test("ends when the store is closed, its checkpoint saved", async () => {
		const { memory, append, start, kept } = given();
		await append(2);
		const subscription = start();
		await subscription.whenCaughtUp();
		await memory.close();
		await passes(500);
		await subscription.ended;
		expect(await kept.load("mail")).toBe("2");
	});
});

describe("a fault that passes", () => {
	const down = storeFault("io", "the disk sleeps");

	test("of the log is waited out", async () => {
		let failing = true;
		const { append, start, handled } = given({
			store: (memory) => ({
				readAll: (options) => {
					if (failing) throw down;
					return memory.readAll(options);
				},
			}),
		});
		await append(2);
		const subscription = start();
		await passes(3000);
		expect(handled).toEqual([]);
		failing = false;
		await passes(1000);
		expect(handled).toEqual(["e1", "e2"]);
		await subscription.stop();
	});

	test("of the checkpoint store is waited out, at the start and at a save", async () => {
		let failing = true;
		const { append, start, handled, kept } = given({
			checkpoints: (kept) => ({
				load: async (name) => {
					if (failing) throw down;
					return kept.load(name);
				},
				save: async (...position) => {
					if (failing) throw down;
					return kept.save(...position);
				},
			}),
		});
		const subscription = start();
		await passes(3000);
		await append(2);
		failing = false;
		await passes(1000);
		expect(handled).toEqual(["e1", "e2"]);
		failing = true;
		await append();
		await passes(3000);
		failing = false;
		await passes(1000);
		expect(handled).toEqual(["e1", "e2", "e3"]);
		expect(await kept.load("mail")).toBe("3");
		await subscription.stop();
		await subscription.ended;
	});

	test("of a save that was done all the same is no second owner", async () => {
		let failing = true;
		const { append, start, handled } = given({
			checkpoints: (kept) => ({
				save: async (...position) => {
					const result = await kept.save(...position);
					if (failing) throw down;
					return result;
				},
			}),
		});
		await append();
		const subscription = start();
		await passes();
		failing = false;
		await passes(1000);
		await append();
		await passes();
		expect(handled).toEqual(["e1", "e2"]);
		await subscription.stop();
		await subscription.ended;
	});

	test("does not keep stop waiting; the checkpoint is then not saved, and the event comes again", async () => {
		let failing = true;
		const { append, start, handled } = given({
			checkpoints: (kept) => ({
				save: async (...position) => {
					if (failing) throw down;
					return kept.save(...position);
				},
			}),
		});
		await append();
		const subscription = start();
		await passes();
		await subscription.stop();
		failing = false;
		const again = start();
		await again.whenCaughtUp();
		expect(handled).toEqual(["e1", "e1"]);
		await again.stop();
	});

	test("says what it waits for, and a stop meanwhile is no failure", async () => {
		let isDown = true;
		const { start, append } = given({
			checkpoints: (kept) => ({
				load: async (name) => {
					if (isDown) throw storeFault("io", "the checkpoints are away");
					return kept.load(name);
				},
			}),
		});
		await append(1);
		const [waiting, stopped] = [start(undefined, "a"), start(undefined, "b")];
		await passes(1_500);
		expect(waiting.problem()).toBe("subscription a waits: the checkpoints are away");
		await Promise.all([stopped.stop(), passes(1_500)]);
		await stopped.ended;
		isDown = false;
		await passes(3_000);
		expect(waiting.problem()).toBeUndefined();
		await Promise.all([waiting.stop(), passes(100)]);
	});
});

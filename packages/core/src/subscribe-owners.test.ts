// Several processes that subscribe under one name: one of them is handed the events, and another takes over.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock as clock, randomIds, silentLogger } from "./container/index.js";
import { createMemoryCheckpointStore } from "./memory/checkpoint-store.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemoryLeaseStore } from "./memory/lease-store.js";
import { toPosition } from "./ports/position.js";
import { type Subscription, subscribe } from "./subscribe.js";
import { cuttable } from "./test-leases.js";

const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
/** A lease, and the third that who stands by sleeps. */
const TAKEOVER_MS = 40_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function given() {
	const store = createMemoryEventStore({ clock });
	const checkpoints = createMemoryCheckpointStore();
	const leases = createMemoryLeaseStore({ clock });
	const handled: string[] = [];
	let serial = 0;
	return {
		handled,
		checkpoints,
		append: () => {
			serial += 1;
			const event = { id: `e${serial}`, type: "Noted", schemaVersion: 1, data: {}, metadata: {} };
			return store.append(`s${serial % 3}`, [event], "any");
		},
		appended: () => Array.from({ length: serial }, (_, index) => `e${index + 1}`),
		start(process: string) {
			const own = cuttable(leases);
			const deps = { store, checkpoints, clock, ids: randomIds, logger: silentLogger, leases: own.leases };
			const subscription: Subscription = subscribe(deps, "mail", async ({ id }) => {
				handled.push(`${process}:${id}`);
			});
			return { subscription, cut: own.cut, hang: own.hang, goOn: own.goOn };
		},
	};
}

const idsOf = (handled: readonly string[]): readonly string[] =>
	handled.map((one) => one.split(":")[1] ?? "");

describe("a subscription of several processes", () => {
	test("is handed to one of them, and to another once that one stops", async () => {
		const { handled, append, start } = given();
		const one = start("one");
		await passes(0);
		const other = start("other");
		await append();
		await passes(1_000);
		expect(handled).toEqual(["one:e1"]);
		expect(other.subscription.problem()).toBeUndefined();
		await one.subscription.stop();
		await append();
		await passes(TAKEOVER_MS);
		expect(handled).toEqual(["one:e1", "other:e2"]);
		await other.subscription.stop();
		expect(vi.getTimerCount()).toBe(0);
	});

	test("goes on elsewhere when its process hangs, which stops handing out events by itself", async () => {
		const { handled, append, start } = given();
		const one = start("one");
		await passes(0);
		const other = start("other");
		await append();
		await passes(1_000);
		one.cut();
		await passes(TAKEOVER_MS);
		await append();
		await passes(1_000);
		expect(handled).toEqual(["one:e1", "other:e2"]);
		await other.subscription.stop();
	});

	test("stands by again when another process moved its checkpoint before it knew that it had lost the lease", async () => {
		const { handled, append, checkpoints, start } = given();
		const one = start("one");
		await append();
		await passes(1_000);
		await append();
		// Somebody who stood still for long, and believes that it is the owner.
		await checkpoints.save("mail", toPosition(2), toPosition(1));
		await passes(1_000);
		await append();
		await passes(20_000);
		expect(handled.at(-1)).toBe("one:e3");
		expect(one.subscription.problem()).toBeUndefined();
		await one.subscription.stop();
	});

	test("is replayed once it is this process's turn, also when it had it before", async () => {
		const { handled, append, start } = given();
		const one = start("one");
		await append();
		await passes(1_000);
		one.hang();
		await passes(TAKEOVER_MS);
		const other = start("other");
		await passes(TAKEOVER_MS);
		one.goOn();
		const replayed = one.subscription.replay();
		await passes(TAKEOVER_MS);
		expect(handled).toEqual(["one:e1"]);
		await other.subscription.stop();
		await passes(TAKEOVER_MS);
		expect(await replayed).toBe(1);
		expect(handled).toEqual(["one:e1", "one:e1"]);
		await one.subscription.stop();
		await expect(one.subscription.replay()).rejects.toThrow("ended before its replay did");
	});

	test("loses no event and doubles none, however often it changes hands between events", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.constantFrom("append", "stop", "cut"), { maxLength: 12 }),
				async (steps) => {
					const { handled, append, appended, start } = given();
					let serial = 0;
					let owner = start(`p${serial}`);
					await passes(0);
					let standby = start(`p${++serial}`);
					for (const step of steps) {
						if (step === "append") await append();
						await passes(1_000);
						if (step === "append") continue;
						if (step === "stop") await owner.subscription.stop();
						else owner.cut();
						await passes(TAKEOVER_MS);
						owner = standby;
						standby = start(`p${++serial}`);
					}
					await append();
					await passes(1_000);
					expect(idsOf(handled)).toEqual(appended());
					expect(handled.at(-1)).toBe(`p${serial - 1}:${appended().at(-1)}`);
				},
			),
			{ numRuns: 15 },
		);
	});
});

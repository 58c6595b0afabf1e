import { createMemoryCheckpointStore, createMemoryKeyring } from "@reelkeep/core";
import type { EventStore } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { faulty } from "./faulty.js";
import { event, givenEvents, IO, idsOf, isSettled } from "./test-faulty.js";

describe("a plan", () => {
	it("counts as met what came about: not the end of a reading that is broken off", async () => {
		const { store, faults, append } = givenEvents();
		await append("a", "b");
		faults.failNext("readAll", { when: "after" });
		for await (const { id } of store.readAll()) {
			expect(id).toBe("a");
			break;
		}
		expect(faults.unmet()).toEqual(["readAll"]);
		faults.clear();
		faults.failNext("readAll", { when: "after" });
		const met = faults.whenMet();
		expect(await isSettled(met)).toBe(false);
		await expect(idsOf(store.readAll())).rejects.toMatchObject(IO);
		await met;
	});

	it("counts as met what came about: not a tear of what is no longer than is kept", async () => {
		const { store, faults, append } = givenEvents();
		faults.tearNext("append", 2);
		await append("a", "b");
		expect(faults.unmet()).toEqual(["append"]);
		faults.clear();
		faults.tearNext("readAll", 2);
		expect(await idsOf(store.readAll())).toEqual(["a", "b"]);
		expect(faults.unmet()).toEqual(["readAll"]);
		faults.clear();
		faults.tearNext("readAll", 1);
		faults.tearNext("append", 1);
		faults.duplicateNext("readAll");
		expect(await idsOf(store.readAll())).toEqual(["a"]);
		await append("c", "d");
		expect(await idsOf(store.readAll())).toHaveLength(6);
		expect(faults.unmet()).toEqual([]);
	});

	it("tells when all its calls have met it, or it was cleared", async () => {
		const { faults, append } = givenEvents();
		await faults.whenMet();
		faults.failNext("append", { times: 2 });
		const met = faults.whenMet();
		await append("a").catch(() => undefined);
		expect(await isSettled(met)).toBe(false);
		await append("b").catch(() => undefined);
		await met;
		faults.failNext("append");
		const cleared = faults.whenMet();
		faults.clear();
		await cleared;
		expect(await append("c")).toMatchObject({ version: 1 });
	});

	it("stays behind with its wrapper when what that wraps is wrapped again", async () => {
		const { store, faults } = givenEvents();
		faults.failNext("append", { times: Number.POSITIVE_INFINITY });
		const again = faulty<EventStore>(store);
		await again.append("stream-a", [event("a")], "any");
		expect(faults.calls("append")).toBe(0);
	});

	it("comes to what was spread from a wrapper and changed, which is a store like any other", async () => {
		const earlier = givenEvents();
		const appended: number[] = [];
		const changed: EventStore = {
			...earlier.store,
			append: (stream, events, expected) => {
				appended.push(events.length);
				return earlier.store.append(stream, events, expected);
			},
		};
		const again = faulty(changed);
		again.faults.failNext("append");
		await expect(again.append("stream-a", [event("a")], "any")).rejects.toMatchObject(IO);
		await again.append("stream-a", [event("a"), event("b")], "any");
		expect(appended).toEqual([2]);
		expect(await idsOf(again.readAll())).toEqual(["a", "b"]);
		expect([again.faults.calls("append"), earlier.faults.calls("append")]).toEqual([2, 1]);
	});

	it("is refused when it can happen to no call", () => {
		const { faults } = givenEvents();
		for (const times of [0, -1, 1.5, Number.NaN]) {
			expect(() => faults.failNext("append", { times })).toThrow(/times must be a whole number from 1/);
		}
		expect(() => faults.failNext("append", { skip: Number.POSITIVE_INFINITY })).toThrow(RangeError);
		expect(() => faults.tearNext("append", -1)).toThrow(RangeError);
		const checkpoints = faulty(createMemoryCheckpointStore());
		expect(() => checkpoints.faults.tearNext("save", 0)).toThrow(
			new TypeError("save has nothing that a part could be kept of"),
		);
		expect(() => faulty(createMemoryKeyring()).faults.tearNext("open", 0)).toThrow(TypeError);
		expect(checkpoints.faults.unmet()).toEqual([]);
	});
});

import { createMemoryEventStore, createMemoryKeyring, createMemoryVideoStore } from "@reelkeep/core";
import type { EventStore, NewEvent, VideoStore } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { createFakeClock } from "./fake-clock.js";
import { type FaultyEventStore, faultyEventStore, faultyKeyring, faultyVideoStore } from "./faulty-stores.js";

const systemTime = { now: () => Date.now() };
const event = (id: string): NewEvent => ({ id, type: "Happened", schemaVersion: 1, data: {}, metadata: {} });
const faultyMemory = (): FaultyEventStore => faultyEventStore(createMemoryEventStore({ clock: systemTime }));

async function idsOf(store: EventStore, stream = "stream"): Promise<readonly string[]> {
	const ids: string[] = [];
	for await (const { id } of store.read(stream)) ids.push(id);
	return ids;
}

const fault = { _tag: "StoreFault", reason: "io" };

describe("the append of a faulty event store", () => {
	test("fails before anything is kept, as often as was planned, and then is well again", async () => {
		const store = faultyMemory();
		store.faults.failNext("append", { times: 2 });
		expect(store.faults.planned).toBe(2);
		for (const id of ["a", "b"]) {
			await expect(store.append("stream", [event(id)], "any")).rejects.toMatchObject(fault);
		}
		expect([await idsOf(store), store.faults.planned]).toEqual([[], 0]);
		expect(await store.append("stream", [event("c")], "no-stream")).toMatchObject({ version: 1 });
	});

	test("fails when everything is kept, with an error of the test's own", async () => {
		const store = faultyMemory();
		store.faults.failNext("append", { when: "after", error: new Error("cut off") });
		await expect(store.append("stream", [event("a")], "any")).rejects.toThrow("cut off");
		expect(await idsOf(store)).toEqual(["a"]);
	});

	test("is late by the clock that was given", async () => {
		const clock = createFakeClock();
		const store = faultyEventStore(createMemoryEventStore({ clock }), { clock });
		store.faults.delayNext("append", 1_000);
		const appended = store.append("stream", [event("a")], "any");
		await clock.advance(999);
		expect(await idsOf(store)).toEqual([]);
		await clock.advance(1);
		await appended;
		expect(await idsOf(store)).toEqual(["a"]);
	});

	test("is held until it is released, while others pass it", async () => {
		const store = faultyMemory();
		const held = store.faults.holdNext("append");
		const appended = store.append("stream", [event("a")], "any");
		await held.reached;
		await store.append("stream", [event("b")], "any");
		held.release();
		await appended;
		expect(await idsOf(store)).toEqual(["b", "a"]);
	});

	test("is carried out twice, and answers as a store does that knows its own write no more", async () => {
		const store = faultyMemory();
		store.faults.duplicateNext("append");
		expect(await store.append("stream", [event("a")], "no-stream")).toEqual({
			_tag: "WrongExpectedVersion",
			actualVersion: 1,
		});
		expect(await idsOf(store)).toEqual(["a"]);
	});

	test("is torn in the middle of its events; one event is none", async () => {
		const store = faultyMemory();
		store.faults.tearNext("append");
		store.faults.tearNext("append");
		const batch = ["a", "b", "c"].map(event);
		await expect(store.append("stream", batch, "any")).rejects.toMatchObject(fault);
		await expect(store.append("other", [event("d")], "any")).rejects.toMatchObject(fault);
		expect([await idsOf(store), await idsOf(store, "other")]).toEqual([["a"], []]);
	});
});

describe("a reading of a faulty event store", () => {
	const filled = async (): Promise<FaultyEventStore> => {
		const store = faultyMemory();
		await store.append("stream", ["a", "b", "c", "d"].map(event), "any");
		return store;
	};
	async function readUntilFault(store: EventStore): Promise<readonly string[]> {
		const ids: string[] = [];
		try {
			for await (const { id } of store.read("stream")) ids.push(id);
		} catch (error) {
			expect(error).toMatchObject(fault);
			return [...ids, "fault"];
		}
		return ids;
	}

	test("fails at its beginning, in its middle, at its end", async () => {
		const store = await filled();
		store.faults.failNext("read");
		store.faults.tearNext("read");
		store.faults.failNext("read", { when: "after" });
		expect(await readUntilFault(store)).toEqual(["fault"]);
		expect(await readUntilFault(store)).toEqual(["a", "b", "fault"]);
		expect(await readUntilFault(store)).toEqual(["a", "b", "c", "d", "fault"]);
		expect(await readUntilFault(store)).toEqual(["a", "b", "c", "d"]);
	});

	test("yields everything twice", async () => {
		const store = await filled();
		store.faults.duplicateNext("read");
		expect(await idsOf(store)).toEqual(["a", "a", "b", "b", "c", "c", "d", "d"]);
	});

	test("is released when the faults are forgotten", async () => {
		const store = await filled();
		const held = store.faults.holdNext("read");
		const read = idsOf(store);
		await held.reached;
		store.faults.failNext("read");
		store.faults.clear();
		expect([await read, store.faults.planned]).toEqual([["a", "b", "c", "d"], 0]);
	});
});

describe("a faulty video store", () => {
	const bytes = new TextEncoder().encode("01234567");
	const keptOf = async (store: VideoStore): Promise<string | undefined> => {
		const stored = await store.stat("video");
		if (stored === undefined) return undefined;
		let text = "";
		for await (const chunk of store.open(stored.location)) text += new TextDecoder().decode(chunk);
		return text;
	};

	test("fails at the calls of its uploads too; a torn write is half there", async () => {
		const store = faultyVideoStore(createMemoryVideoStore());
		store.faults.tearNext("write");
		const upload = await store.begin("video");
		await expect(upload.write(bytes)).rejects.toMatchObject(fault);
		expect((await upload.digest()).bytes).toBe(4);
		store.faults.failNext("commit", { when: "after" });
		await expect(upload.commit()).rejects.toMatchObject(fault);
		expect(await keptOf(store)).toBe("0123");
	});

	test("commits twice what is kept once", async () => {
		const store = faultyVideoStore(createMemoryVideoStore());
		const upload = await store.begin("video");
		store.faults.duplicateNext("write");
		await upload.write(bytes);
		await upload.commit();
		expect(await keptOf(store)).toBe("0123456701234567");
	});
});

test("a faulty keyring fails as keyrings do", async () => {
	const keyring = faultyKeyring(createMemoryKeyring());
	keyring.faults.failNext("open");
	const sealed = await keyring.seal("text", "context");
	await expect(keyring.open(sealed, "context")).rejects.toMatchObject({
		_tag: "KeyringFault",
		reason: "unavailable",
	});
	expect(await keyring.open(sealed, "context")).toBe("text");
});

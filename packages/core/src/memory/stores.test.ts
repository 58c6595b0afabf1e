import { describe, expect, test } from "vitest";
import { toPosition } from "../ports/index.js";
import { createMemoryCheckpointStore } from "./checkpoint-store.js";
import { createMemoryLeaseStore } from "./lease-store.js";
import { createMemoryVideoStore } from "./video-store.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
	let text = "";
	for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
	return text;
};

describe("the memory checkpoint store", () => {
	test("refuses a save that expects another position, and never moves backward", async () => {
		const store = createMemoryCheckpointStore();
		expect(await store.save("a", toPosition(10), toPosition(9))).toEqual({
			_tag: "WrongCheckpoint",
			actual: undefined,
		});
		expect(await store.save("a", toPosition(10), undefined)).toEqual({ _tag: "Saved" });
		expect(await store.save("a", toPosition(11), undefined)).toEqual({
			_tag: "WrongCheckpoint",
			actual: "10",
		});
		await expect(store.save("a", toPosition(9), toPosition(10))).rejects.toThrow(RangeError);
		expect(await store.load("a")).toBe("10");
	});

	test("keeps one position for each name", async () => {
		const store = createMemoryCheckpointStore();
		expect(await store.load("__proto__")).toBeUndefined();
		await store.save("__proto__", toPosition(2), undefined);
		await store.save("a", toPosition(1), undefined);
		expect([await store.load("__proto__"), await store.load("a")]).toEqual(["2", "1"]);
	});
});

describe("the memory lease store", () => {
	function given() {
		let now = 0;
		const store = createMemoryLeaseStore({ clock: { now: () => now } });
		const passes = (ms: number): void => {
			now += ms;
		};
		return { store, passes };
	}
	async function acquired(store: ReturnType<typeof given>["store"], owner: string) {
		const result = await store.acquire("work", owner, 100);
		if (result._tag !== "Acquired") throw new Error(`held by ${result.owner}`);
		return result.lease;
	}

	test("lets nobody else in while the lease is held", async () => {
		const { store, passes } = given();
		await acquired(store, "a");
		passes(99);
		expect(await store.acquire("work", "b", 100)).toEqual({ _tag: "Held", owner: "a", expiresAt: 100 });
		expect(await store.acquire("other", "b", 100)).toMatchObject({ _tag: "Acquired" });
	});

	test("gives a higher token with every grant; a lost lease is neither renewed nor released", async () => {
		const { store, passes } = given();
		const first = await acquired(store, "a");
		passes(100);
		const second = await acquired(store, "b");
		expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
		expect(await store.renew(first, 100)).toEqual({ _tag: "LeaseLost" });
		await store.release(first);
		expect(await store.acquire("work", "c", 100)).toMatchObject({ _tag: "Held", owner: "b" });
		await store.release(second);
		expect((await acquired(store, "c")).fencingToken).toBeGreaterThan(second.fencingToken);
	});

	test("does not extend a lease whose time is over, also when nobody else took it", async () => {
		const { store, passes } = given();
		const lease = await acquired(store, "a");
		passes(100);
		expect(await store.renew(lease, 100)).toEqual({ _tag: "LeaseLost" });
	});

	test("extends a lease that is held", async () => {
		const { store, passes } = given();
		const lease = await acquired(store, "a");
		passes(50);
		expect(await store.renew(lease, 100)).toEqual({ _tag: "Renewed", lease: { ...lease, expiresAt: 150 } });
		passes(99);
		expect(await store.acquire("work", "b", 1)).toMatchObject({ _tag: "Held" });
	});
});

describe("the memory video store", () => {
	test("shows nothing before the commit, and nothing of what was discarded", async () => {
		const store = createMemoryVideoStore();
		const upload = await store.begin("recording-a");
		await upload.write(bytes("video"));
		expect(await store.stat("recording-a")).toBeUndefined();
		await upload.discard();
		expect(await store.stat("recording-a")).toBeUndefined();
	});

	test("leaves a video that is there alone", async () => {
		const store = createMemoryVideoStore();
		const [first, second] = [await store.begin("recording-a"), await store.begin("recording-a")];
		await first.write(bytes("first"));
		await second.write(bytes("second!"));
		const committed = await first.commit();
		expect(committed).toMatchObject({ _tag: "Committed", video: { bytes: 5 } });
		expect(await second.commit()).toEqual({ _tag: "AlreadyStored", video: committed.video });
		expect(await read(store.open(committed.video.location))).toBe("first");
	});

	test("rejects the opening of what is not there, finally; removing it is no error", async () => {
		const store = createMemoryVideoStore();
		await expect(read(store.open("memory:none"))).rejects.toMatchObject({
			_tag: "StoreFault",
			retryable: false,
		});
		await store.remove("memory:none");
	});

	test("keeps the bytes as they were written, with their hash, from any offset", async () => {
		const store = createMemoryVideoStore();
		const upload = await store.begin("../../etc/passwd");
		const chunk = bytes("abc");
		await upload.write(chunk);
		chunk.fill(0);
		await upload.write(bytes("def"));
		const sha256 = "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721";
		expect(await upload.digest()).toEqual({ bytes: 6, sha256 });
		const { video } = await upload.commit();
		expect(video).toMatchObject({ bytes: 6, sha256 });
		expect(await store.stat("../../etc/passwd")).toEqual(video);
		expect(await read(store.open(video.location, { offset: 2 }))).toBe("cdef");
		await store.remove(video.location);
		expect(await store.stat("../../etc/passwd")).toBeUndefined();
	});
});

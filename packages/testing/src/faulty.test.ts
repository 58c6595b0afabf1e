import {
	createMemoryCheckpointStore,
	createMemoryEventStore,
	createMemoryKeyring,
	createMemorySnapshotStore,
	createMemoryVideoStore,
} from "@reelkeep/core";
import { type EventStore, toPosition } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { faulty } from "./faulty.js";
import { bytes, event, givenEvents, IO, idsOf, isSettled } from "./test-faulty.js";

describe("failNext", () => {
	it("fails one call before anything is done, and no other", async () => {
		const { faults, append, ids } = givenEvents();
		faults.failNext("append");
		await expect(append("a")).rejects.toMatchObject(IO);
		await append("b");
		expect(await ids()).toEqual(["b"]);
	});

	it("fails behind what was done, so that the outcome is unknown to the caller", async () => {
		const { faults, append, ids } = givenEvents();
		faults.failNext("append", { when: "after" });
		await expect(append("a")).rejects.toMatchObject(IO);
		expect(await ids()).toEqual(["a"]);
	});

	it("fails with another error, several times, and after calls that go well; plans queue up", async () => {
		const { faults, append, ids } = givenEvents();
		faults.failNext("append", { times: 2, skip: 1, error: new Error("mine") });
		faults.failNext("append");
		await append("a");
		for (const id of ["b", "c"]) await expect(append(id)).rejects.toThrow("mine");
		expect(faults.unmet()).toEqual(["append"]);
		await expect(append("d")).rejects.toMatchObject(IO);
		await append("e");
		expect(await ids()).toEqual(["a", "e"]);
		expect(faults.unmet()).toEqual([]);
		expect(faults.calls("append")).toBe(5);
	});

	it("goes on until it is cleared", async () => {
		const { faults, append } = givenEvents();
		faults.failNext("append", { times: Number.POSITIVE_INFINITY });
		for (const id of ["a", "b", "c"]) await expect(append(id)).rejects.toMatchObject(IO);
		faults.clear();
		expect(await append("d")).toMatchObject({ _tag: "Appended" });
	});

	it("fails a reading before its first event, or behind its last", async () => {
		const { store, faults, append } = givenEvents();
		await append("a", "b");
		faults.failNext("readAll");
		faults.failNext("readAll", { when: "after" });
		const seen: string[] = [];
		const read = async () => {
			for await (const { id } of store.readAll()) seen.push(id);
		};
		await expect(read()).rejects.toMatchObject(IO);
		expect(seen).toEqual([]);
		await expect(read()).rejects.toMatchObject(IO);
		expect(seen).toEqual(["a", "b"]);
	});

	it("knows checkpoints, snapshots, and keyrings with a fault of their own", async () => {
		const checkpoints = faulty(createMemoryCheckpointStore());
		checkpoints.faults.failNext("save");
		await expect(checkpoints.save("mail", toPosition(1), undefined)).rejects.toMatchObject(IO);
		expect(await checkpoints.load("mail")).toBeUndefined();

		const snapshots = faulty(createMemorySnapshotStore());
		snapshots.faults.failNext("load");
		await expect(snapshots.load("games")).rejects.toMatchObject(IO);

		const keyring = faulty(createMemoryKeyring());
		const sealed = await keyring.seal("link", "stream");
		keyring.faults.failNext("open");
		const fault = { _tag: "KeyringFault", reason: "unavailable" };
		await expect(keyring.open(sealed, "stream")).rejects.toMatchObject(fault);
		expect(await keyring.open(sealed, "stream")).toBe("link");
	});

	it("knows the steps of an upload, whichever upload meets them", async () => {
		const videos = faulty(createMemoryVideoStore());
		videos.faults.failNext("begin");
		await expect(videos.begin("a")).rejects.toMatchObject(IO);
		videos.faults.failNext("write", { skip: 1 });
		videos.faults.failNext("commit", { when: "after" });
		const upload = await videos.begin("a");
		await upload.write(bytes(3));
		await expect(upload.write(bytes(3))).rejects.toMatchObject(IO);
		await expect(upload.commit()).rejects.toMatchObject(IO);
		expect(await videos.stat("a")).toMatchObject({ bytes: 3 });
		expect(videos.faults.unmet()).toEqual([]);
	});
});

describe("delayNext", () => {
	it("waits by the clock that it was given, while later calls overtake", async () => {
		const { clock, faults, append, ids } = givenEvents();
		faults.delayNext("append", 1_000);
		const slow = append("slow");
		await append("quick");
		await clock.advance(999);
		expect(await isSettled(slow)).toBe(false);
		await clock.advance(1);
		await slow;
		expect(await ids()).toEqual(["quick", "slow"]);
	});

	it("waits for what the test lets go, before the call or behind it", async () => {
		const { faults, append, ids } = givenEvents();
		let letGo = (): void => undefined;
		const gate = new Promise<void>((resolve) => {
			letGo = resolve;
		});
		faults.delayNext("append", gate, { when: "after" });
		const slow = append("a");
		expect(await ids()).toEqual(["a"]);
		expect(await isSettled(slow)).toBe(false);
		letGo();
		expect(await slow).toMatchObject({ _tag: "Appended", version: 1 });
	});
});

describe("delayNext, until a promise that rejects", () => {
	it("goes on as until one that resolves, and nobody hears of the rejection", async () => {
		const unhandled: unknown[] = [];
		const note = (error: unknown) => unhandled.push(error);
		process.on("unhandledRejection", note);
		const { faults, append } = givenEvents();
		faults.delayNext("append", Promise.reject(new Error("the test's own")));
		await new Promise((resolve) => setImmediate(resolve));
		expect(await append("a")).toMatchObject({ _tag: "Appended" });
		process.off("unhandledRejection", note);
		expect(unhandled).toEqual([]);
	});
});

describe("duplicateNext", () => {
	it("gives the first answer when the second call fails, as that of a commit does", async () => {
		const videos = faulty(createMemoryVideoStore());
		videos.faults.duplicateNext("commit");
		const upload = await videos.begin("a");
		await upload.write(bytes(10));
		expect(await upload.commit()).toMatchObject({ video: { bytes: 10 } });
		expect(videos.faults.unmet()).toEqual([]);
	});

	it("makes a call twice and gives the first answer", async () => {
		const { store, faults, ids } = givenEvents();
		faults.duplicateNext("append", { times: 2 });
		expect(await store.append("stream-a", [event("a")], "no-stream")).toMatchObject({ version: 1 });
		// A store that expects nothing keeps it twice.
		await store.append("stream-a", [event("b")], "any");
		expect(await ids()).toEqual(["a", "b", "b"]);
	});
});

describe("tearNext", () => {
	it("keeps a part of a batch, and says that all is well or fails", async () => {
		const { faults, append, ids } = givenEvents();
		faults.tearNext("append", 1);
		expect(await append("a", "b")).toMatchObject({ _tag: "Appended" });
		faults.tearNext("append", 2, { fails: true });
		await expect(append("c", "d", "e")).rejects.toMatchObject(IO);
		expect(await ids()).toEqual(["a", "c", "d"]);
	});

	it("keeps a part of a chunk", async () => {
		const videos = faulty(createMemoryVideoStore());
		videos.faults.tearNext("write", 4);
		const upload = await videos.begin("a");
		await upload.write(bytes(10));
		expect(await upload.commit()).toMatchObject({ video: { bytes: 4 } });
	});
});

it("wraps what is a class, private fields and all", async () => {
	class Stored implements EventStore {
		readonly #inner = createMemoryEventStore({ clock: Date });
		readonly supports = { persistence: false };
		append: EventStore["append"] = (...given) => this.#inner.append(...given);
		read(...given: Parameters<EventStore["read"]>) {
			return this.#inner.read(...given);
		}
		readAll(...given: Parameters<EventStore["readAll"]>) {
			return this.#inner.readAll(...given);
		}
		onAppended(hint: () => void) {
			return this.#inner.onAppended(hint);
		}
		close() {
			return this.#inner.close();
		}
	}
	const store = faulty<EventStore>(new Stored());
	store.faults.failNext("append");
	await expect(store.append("stream-a", [event("a")], "any")).rejects.toMatchObject(IO);
	await store.append("stream-a", [event("a")], "any");
	expect(await idsOf(store.readAll())).toEqual(["a"]);
	expect(store.supports.persistence).toBe(false);
	expect(Object.keys(store)).not.toContain("constructor");
	await store.close();
	await expect(idsOf(store.readAll())).rejects.toMatchObject({ reason: "closed" });
});

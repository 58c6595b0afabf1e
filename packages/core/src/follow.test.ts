import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "./container/defaults.js";
import { type Followed, type FollowOptions, followLog, lastPosition } from "./follow.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { type EventStore, type RecordedEvent, storeFault, toPosition } from "./ports/index.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => vi.useRealTimers());

const POLL_MS = 500;
const FAULT_MS = 1000;

/** Sleeps by vitest's fake timers: time passes by `passes`. */
const clock = systemClock;
const passes = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

function given(flaw: (store: EventStore) => Partial<EventStore> = () => ({})) {
	const memory = createMemoryEventStore({ clock: { now: () => 0 } });
	const store: EventStore = { ...memory, ...flaw(memory) };
	const warned: object[] = [];
	const ignore = (): void => undefined;
	const logger = {
		trace: ignore,
		debug: ignore,
		info: ignore,
		error: ignore,
		warn: (it: object) => void warned.push(it),
	};
	let serial = 0;
	const append = async (count = 1): Promise<void> => {
		for (let index = 0; index < count; index += 1) {
			serial += 1;
			const event = { id: `e${serial}`, type: "Noted", schemaVersion: 1, data: {}, metadata: {} };
			await memory.append(`stream-${serial % 3}`, [event], "any");
		}
	};
	const follow = ({ stopAt, ...options }: Partial<FollowOptions> & { readonly stopAt?: string } = {}) => {
		const stop = new AbortController();
		const seen: string[] = [];
		let ended: string | undefined;
		const word = (it: Followed) => (it._tag === "Event" ? it.event.id : `end@${it.position ?? 0}`);
		const run = async (): Promise<void> => {
			for await (const it of followLog({ store, clock, logger }, { signal: stop.signal, ...options })) {
				seen.push(word(it));
				if (word(it) === stopAt) stop.abort();
			}
		};
		const done = run().then(
			() => {
				ended = "ended";
			},
			(error: unknown) => {
				ended = String(error);
			},
		);
		return { seen, stop: () => stop.abort(), done, ended: () => ended };
	};
	return { memory, append, follow, warned };
}

describe("a log that cannot be read", () => {
	/** Fails `times` reads with `fault`, each after it yielded one event. */
	const failing =
		(times: number, fault: unknown) =>
		(memory: EventStore): Partial<EventStore> => ({
			async *readAll(options) {
				for await (const event of memory.readAll(options)) {
					yield event;
					if (times > 0) {
						times -= 1;
						throw fault;
					}
				}
			},
		});

	test("is asked again later when the fault is retryable; no event is skipped or seen twice", async () => {
		const { append, follow, warned } = given(failing(2, storeFault("io", "the disk sleeps")));
		await append(4);
		const { seen, stop, done } = follow();
		await passes();
		expect(seen).toEqual(["e1"]);
		await passes(FAULT_MS - 1);
		expect(seen).toEqual(["e1"]);
		await passes(1);
		expect(seen).toEqual(["e1", "e2"]);
		await passes(FAULT_MS);
		expect(seen).toEqual(["e1", "e2", "e3", "e4", "end@4"]);
		expect(warned).toEqual([{ reason: "io" }, { reason: "io" }]);
		stop();
		await done;
	});

	test("ends the reading when the fault is final or none of a store", async () => {
		for (const fault of [
			storeFault("corrupt", "line 3"),
			storeFault("failed", "a sync"),
			new TypeError("a bug"),
		]) {
			const { append, follow } = given(failing(1, fault));
			await append(2);
			const { seen, ended } = follow();
			await passes();
			expect([seen, ended()]).toEqual([["e1"], String(fault)]);
		}
	});

	test("is closed: the reading ends, at the next look", async () => {
		const { memory, append, follow } = given();
		await append();
		const { seen, done } = follow();
		await passes();
		await memory.close();
		await passes(POLL_MS);
		await done;
		expect(seen).toEqual(["e1", "end@1"]);
	});

	test("does not keep a stop waiting while a fault is waited out", async () => {
		const { append, follow } = given(failing(9, storeFault("io", "the disk sleeps")));
		await append(2);
		const { stop, done, ended } = follow();
		await passes();
		stop();
		await done;
		expect(ended()).toBe("ended");
		expect(vi.getTimerCount()).toBe(0);
	});
});

describe("following the log", () => {
	test("yields what is there, says that it is all, and goes on when more is hinted at", async () => {
		const { append, follow } = given();
		await append(3);
		const { seen, stop, done } = follow();
		await passes();
		expect(seen).toEqual(["e1", "e2", "e3", "end@3"]);
		await append(2);
		await passes();
		expect(seen.slice(4)).toEqual(["e4", "e5", "end@5"]);
		stop();
		await done;
		expect(vi.getTimerCount()).toBe(0);
	});

	test("says at once that an empty log is all", async () => {
		const { follow } = given();
		const { seen, stop, done } = follow();
		await passes();
		expect(seen).toEqual(["end@0"]);
		stop();
		await done;
	});

	test("starts behind a position", async () => {
		const { append, follow } = given();
		await append(3);
		const { seen, stop, done } = follow({ after: toPosition(2) });
		await passes();
		expect(seen).toEqual(["e3", "end@3"]);
		stop();
		await done;
	});

	test("finds by looking what no hint told, every 500 ms or as asked", async () => {
		for (const pollIntervalMs of [undefined, 50]) {
			const { append, follow } = given(() => ({ onAppended: () => () => undefined }));
			const { seen, stop, done } = follow(pollIntervalMs === undefined ? {} : { pollIntervalMs });
			await passes();
			await append(2);
			await passes((pollIntervalMs ?? POLL_MS) - 1);
			expect(seen).toEqual(["end@0"]);
			await passes(1);
			expect(seen).toEqual(["end@0", "e1", "e2", "end@2"]);
			stop();
			await done;
		}
	});

	test("is not woken into a busy loop by superfluous hints", async () => {
		let reads = 0;
		let hint = (): void => undefined;
		const { follow } = given((memory) => ({
			readAll(options) {
				reads += 1;
				return memory.readAll(options);
			},
			onAppended(given) {
				hint = given;
				return () => undefined;
			},
		}));
		const { stop, done } = follow();
		await passes();
		for (let count = 0; count < 1000; count += 1) hint();
		await passes();
		expect(reads).toBeLessThanOrEqual(3);
		stop();
		await done;
	});

	test("does not miss what is appended between the end and the wait", async () => {
		let late = async (): Promise<void> => undefined;
		const { append, follow } = given((memory) => ({
			async *readAll(options) {
				const read: RecordedEvent[] = [];
				for await (const event of memory.readAll(options)) read.push(event);
				yield* read;
				await late();
			},
		}));
		late = async () => {
			late = async () => undefined;
			await append();
		};
		const { seen, stop, done } = follow();
		await passes();
		expect(seen).toEqual(["end@0", "e1", "end@1"]);
		stop();
		await done;
	});

	test("stops at once, and asks for no more hints", async () => {
		let stopped = 0;
		const { append, follow } = given((memory) => ({
			onAppended(hint) {
				const off = memory.onAppended(hint);
				return () => {
					stopped += 1;
					off();
				};
			},
		}));
		const { seen, stop, done, ended } = follow();
		await passes();
		stop();
		await done;
		await append();
		await passes(POLL_MS * 2);
		expect([seen, ended(), stopped]).toEqual([["end@0"], "ended", 1]);
	});

	test("stops although the store does not heed the signal", async () => {
		const { append, follow } = given((memory) => ({
			readAll: (options = {}) => {
				const { signal: _, ...heeded } = options;
				return memory.readAll(heeded);
			},
		}));
		await append(3);
		const { seen, done } = follow({ stopAt: "e1" });
		await done;
		expect(seen).toEqual(["e1"]);
	});

	test("yields nothing when it was stopped before it began", async () => {
		const { append, follow } = given();
		await append();
		const { seen, done } = follow({ signal: AbortSignal.abort() });
		await done;
		expect(seen).toEqual([]);
	});

	test("yields only events of the types that are wanted, and passes over the others for good", async () => {
		const { memory, append, follow } = given();
		const note = (id: string, type: string) =>
			memory.append(id, [{ id, type, schemaVersion: 1, data: {}, metadata: {} }], "no-stream");
		await append(3);
		await note("a", "Told");
		await append(2);
		let types = ["Told"];
		const { seen, stop, done } = follow({ types: () => types });
		await passes();
		expect(seen).toEqual(["a", "end@6"]);
		types = ["Noted", "Told"];
		await append(1);
		await note("b", "Told");
		await passes();
		expect(seen.slice(2).filter((word) => word !== "end@7")).toEqual(["e6", "b", "end@8"]);
		stop();
		await done;
	});

	test("loses no event of a type that is asked for while a reading for others is under way", async () => {
		let types: readonly string[] = ["Other"];
		let between = async (): Promise<void> => undefined;
		const { memory, append, follow } = given((inner) => ({
			async *readAll(options) {
				await between();
				yield* inner.readAll(options);
			},
		}));
		await append(2);
		// Behind the look for the end: the reading for others meets both.
		let looks = 0;
		between = async () => {
			looks += 1;
			if (looks !== 2) return;
			types = ["Noted", "Other"];
			await append(1);
			const other = { id: "o", type: "Other", schemaVersion: 1, data: {}, metadata: {} };
			await memory.append("o", [other], "no-stream");
		};
		const { seen, stop, done } = follow({ types: () => types });
		await passes();
		await passes(POLL_MS);
		expect(seen.filter((word) => !word.startsWith("end@"))).toEqual(["e3", "o"]);
		stop();
		await done;
	});

	test("knows the last position of a log, and that an empty one has none", async () => {
		const { memory, append } = given();
		expect(await lastPosition(memory)).toBeUndefined();
		await append(12);
		expect(await lastPosition(memory)).toBe("12");
	});
});

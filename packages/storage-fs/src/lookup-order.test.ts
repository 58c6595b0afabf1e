import { readFile, writeFile } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import type { AppendResult, ExpectedVersion, NewEvent } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FsEventStoreOptions } from "./event-store.js";
import {
	type DiskCall,
	gate,
	scriptedDisk,
	systemError,
	temporaryDirectory,
	unsyncedDisk,
} from "./test-disk.js";
import { collect, idsOf, LOG_FILE, logFile, newEvent, openStore, rejection } from "./test-store.js";

const isLogRead = ({ operation, path }: DiskCall): boolean => operation === "read" && path.endsWith(LOG_FILE);

/** A store with the streams `a` (two events) and `b` (one), of which every lookup waits until `open` is called. */
async function stalledStore(options: Partial<FsEventStoreOptions> = {}) {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk(unsyncedDisk());
	const before = await openStore(directory, { ...options, fileSystem: disk.fileSystem });
	await before.append("a", [newEvent("a-1"), newEvent("a-2")], "no-stream");
	await before.append("b", [newEvent("b-1")], "no-stream");
	// What was appended just now would be found in memory.
	await before.close();
	const store = await openStore(directory, { ...options, fileSystem: disk.fileSystem });
	const { passed, open } = gate();
	disk.before = (call) => (isLogRead(call) ? passed : undefined);
	disk.trace.length = 0;
	const reads = () => disk.trace.filter((entry) => entry.phase === "started" && isLogRead(entry)).length;
	return { directory, disk, store, open, reads };
}

/** What `work` has come to by now. */
async function stateOf(work: Promise<unknown>): Promise<"waiting" | "resolved" | "rejected"> {
	const settled = work.then(
		() => "resolved" as const,
		() => "rejected" as const,
	);
	const later = new Promise<"waiting">((resolve) => setTimeout(() => resolve("waiting"), 10));
	return Promise.race([settled, later]);
}

describe("a lookup that fails", () => {
	test("rejects those who wait for it with io, and nobody else", async () => {
		const { disk, store, open } = await stalledStore();
		const before = disk.before;
		disk.before = async (call) => {
			await before(call);
			if (isLogRead(call)) throw systemError("EIO");
		};
		const waiting = [1, 2, 3].map(() => rejection(store.append("a", [newEvent()], "any")));
		await turn();
		const other = store.append("new", [newEvent()], "no-stream");
		expect(await other).toMatchObject({ _tag: "Appended", version: 1 });
		open();
		for (const fault of await Promise.all(waiting)) {
			expect(fault).toMatchObject({ reason: "io", retryable: true });
		}
		expect([store.failure(), store.troubles()]).toEqual([undefined, []]);
		disk.before = () => {};
		expect(await store.append("a", [newEvent()], 2)).toMatchObject({ _tag: "Appended", version: 3 });
		expect((await idsOf(store)).length).toBe(5);
	});

	test("on damage rejects with corrupt, those who wait for other streams too, and ends all writing", async () => {
		const { directory, store, open } = await stalledStore();
		const log = await readFile(logFile(directory), "utf8");
		const whole = store.append("b", [newEvent()], "any");
		const damaged = [1, 2].map(() => rejection(store.append("a", [newEvent()], "any")));
		await writeFile(logFile(directory), log.replace("a-2", "a-3"));
		open();
		for (const fault of await Promise.all(damaged)) {
			expect(fault).toMatchObject({
				reason: "corrupt",
				retryable: false,
				message: expect.stringContaining(`byte ${log.indexOf('{"position":"2"')}`),
			});
		}
		await rejection(whole); // Decided in front of it or behind it: both are right.
		expect(store.failure()).toMatchObject({ reason: "corrupt" });
		for (const stream of ["a", "b", "new"]) {
			expect(await rejection(store.append(stream, [newEvent()], "any"))).toBe(store.failure());
		}
		expect((await collect(store.read("b"))).length).toBeGreaterThan(0);
		expect(await rejection(collect(store.readAll()))).toMatchObject({ reason: "corrupt" });
	});

	test("leaves nothing behind that a close would wait for", async () => {
		const { disk, store, open } = await stalledStore();
		disk.before = (call) => {
			if (isLogRead(call)) throw systemError("EIO");
		};
		const waiting = rejection(store.append("a", [newEvent()], "any"));
		await store.close();
		expect(await waiting).toMatchObject({ reason: "io" });
		open();
	});
});

describe("appends to a stream whose end is being read", () => {
	test("wait for one and the same read, and are decided in the order of the calls", async () => {
		const { store, open, reads } = await stalledStore();
		const results: Promise<AppendResult>[] = [];
		const expected: readonly (readonly [ExpectedVersion, number])[] = [
			[2, 1],
			[3, 2],
			["no-stream", 1],
			["any", 1],
			[3, 1],
			[6, 3],
		];
		for (const [at, [version, count]] of expected.entries()) {
			const events = Array.from({ length: count }, () => newEvent());
			results.push(store.append("a", events, version));
			if (at % 2 === 1) await turn();
		}
		expect(await stateOf(Promise.race(results))).toBe("waiting");
		open();
		expect(
			(await Promise.all(results)).map((result) => (result._tag === "Appended" ? result.version : 0)),
		).toEqual([3, 5, 0, 6, 0, 9]);
		expect(reads()).toBe(1);
	});

	test("leave new streams, and what is pending, to go ahead", async () => {
		const { store, open } = await stalledStore();
		const waiting = store.append("a", [newEvent()], 2);
		const created = await store.append("new", [newEvent()], "no-stream");
		expect(created).toMatchObject({ _tag: "Appended", position: "4" });
		open();
		expect(await waiting).toMatchObject({ _tag: "Appended", version: 3, position: "5" });
	});

	test("are accepted when a close comes behind them, and refused when it came before", async () => {
		const { directory, store, open } = await stalledStore();
		const accepted = [store.append("a", [newEvent()], 2), store.append("new", [newEvent()], "no-stream")];
		await turn();
		accepted.push(store.append("a", [newEvent()], 3), store.append("b", [newEvent()], 1));
		const closing = store.close();
		const refused = ["a", "b", "new", "newer"].map((stream) =>
			rejection(store.append(stream, [newEvent()], "any")),
		);
		for (const fault of await Promise.all(refused)) expect(fault).toMatchObject({ reason: "closed" });
		expect(await stateOf(closing)).toBe("waiting");
		open();
		expect((await Promise.all(accepted)).map(({ _tag }) => _tag)).toEqual(accepted.map(() => "Appended"));
		await closing;
		const reopened = await openStore(directory);
		const streams = (await collect(reopened.readAll())).map(({ stream, version }) => `${stream}${version}`);
		expect(streams.slice(0, 3)).toEqual(["a1", "a2", "b1"]);
		expect(streams.slice(3).sort()).toEqual(["a3", "a4", "b2", "new1"]);
	});

	test("count among those that wait: one too many is refused at once", async () => {
		const { store, open } = await stalledStore({ maxPendingAppends: 3 });
		const accepted = ["a", "b", "a"].map((stream) => store.append(stream, [newEvent()], "any"));
		for (const stream of ["a", "b", "new"]) {
			const fault = await rejection(store.append(stream, [newEvent()], "any"));
			expect(fault).toMatchObject({ reason: "overloaded", retryable: true });
		}
		open();
		expect((await Promise.all(accepted)).map(({ _tag }) => _tag)).toEqual(accepted.map(() => "Appended"));
		expect(await store.append("new", [newEvent()], "no-stream")).toMatchObject({ version: 1 });
	});

	test("count with their bytes among those that wait", async () => {
		const { store, open } = await stalledStore({ maxPendingBytes: 5000 });
		const large = () => store.append("a", [newEvent("x".repeat(1000))], "any");
		const appends = Array.from({ length: 20 }, large);
		const states = await Promise.all(appends.map(stateOf));
		open();
		await Promise.allSettled(appends);
		expect(states.filter((state) => state === "rejected").length).toBeGreaterThanOrEqual(15);
	});

	test("record what was passed, whatever the caller does to it meanwhile", async () => {
		const { store, open } = await stalledStore();
		const event = { ...newEvent(), id: "passed", data: { note: "passed" } };
		const appending = store.append("a", [event], 2);
		Object.assign(event, { id: "changed" });
		event.data.note = "changed";
		open();
		await appending;
		const [read] = await collect(store.readAll({ direction: "backward", limit: 1 }));
		expect([read?.id, read?.data]).toEqual(["passed", { note: "passed" }]);
	});

	// What was checked is what was passed: the frames of more than 100 events could not be read again.
	test("record as many events as were passed, and leave the log sound", async () => {
		const { directory, store, open } = await stalledStore();
		const events: NewEvent[] = [newEvent()];
		const appending = store.append("a", events, 2);
		for (let more = 0; more < 150; more += 1) events.push(newEvent());
		open();
		await appending;
		await store.append("b", [newEvent()], 1);
		await store.close();
		expect((await idsOf(await openStore(directory))).length).toBe(5);
	});

	test("of which one cannot be written as JSON are refused by themselves", async () => {
		const { store, open } = await stalledStore();
		const first = store.append("a", [newEvent()], 2);
		const impossible = rejection(store.append("a", [newEvent(1n)], "any"));
		const second = store.append("a", [newEvent()], 3);
		open();
		expect(await impossible).toBeInstanceOf(TypeError);
		expect(await Promise.all([first, second])).toMatchObject([{ version: 3 }, { version: 4 }]);
	});
});

interface Step {
	readonly stream: "a" | "b" | "c";
	readonly expected: "any" | "no-stream" | "right" | "wrong";
	readonly count: number;
	readonly pause: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
	stream: fc.constantFrom("a", "b", "c"),
	expected: fc.constantFrom("any", "no-stream", "right", "right", "wrong"),
	count: fc.integer({ min: 1, max: 3 }),
	pause: fc.boolean(),
});

test("appends are decided in the order of their calls, however long reads and syncs take, up to a close", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(), async (steps, seed) => {
			const { disk, store, open } = await stalledStore();
			open();
			let calls = seed;
			disk.before = async ({ operation }) => {
				calls += 7;
				if (!["read", "write", "datasync"].includes(operation)) return;
				for (let turns = calls % 5; turns > 0; turns -= 1) await turn();
			};
			const versions = { a: 2, b: 1, c: 0 };
			const results: Promise<AppendResult>[] = [];
			const decisions: AppendResult["_tag"][] = [];
			for (const { stream, expected, count, pause } of steps) {
				const version = versions[stream];
				const events = Array.from({ length: count }, () => newEvent());
				const told = { any: "any", "no-stream": "no-stream", right: version, wrong: version + 1 } as const;
				results.push(store.append(stream, events, told[expected]));
				const isAccepted = expected === "no-stream" ? version === 0 : expected !== "wrong";
				decisions.push(isAccepted ? "Appended" : "WrongExpectedVersion");
				if (isAccepted) versions[stream] += count;
				if (pause) await turn();
			}
			const closing = store.close();
			expect(await rejection(store.append("a", [newEvent()], "any"))).toMatchObject({ reason: "closed" });
			expect((await Promise.all(results)).map(({ _tag }) => _tag)).toEqual(decisions);
			await closing;
		}),
		{ numRuns: 30 },
	);
}, 20_000);

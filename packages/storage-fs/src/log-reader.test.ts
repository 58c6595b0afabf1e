import { readFile, writeFile } from "node:fs/promises";
import { type RecordedEvent, toPosition } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { scriptedDisk, temporaryDirectory } from "./test-disk.js";
import { collect, LOG_FILE, logFile, newEvent, openStore, rejection } from "./test-store.js";

/** What a reader takes at once. */
const RUN_BYTES = 256 * 1024;

/** Some hundred events over several runs, among them one that is larger than a run. */
async function filledStore(directory: string) {
	const store = await openStore(directory);
	const appends = Array.from({ length: 300 }, (_, at) =>
		store.append(`s-${at % 7}`, [newEvent("x".repeat(at === 100 ? 3 * RUN_BYTES : (at * 37) % 3000))], "any"),
	);
	await Promise.all(appends);
	return { store, all: await collect(store.readAll()) };
}

const positions = (events: readonly RecordedEvent[]) => events.map(({ position }) => Number(position));

describe("a reader", () => {
	test("refuses options that make no sense, before it reads", async () => {
		const store = await openStore(await temporaryDirectory());
		expect(() => store.read("s", { after: -1 })).toThrow(RangeError);
		expect(() => store.read("s", { limit: 0.5 })).toThrow(RangeError);
		expect(() => store.readAll({ after: "01" as never })).toThrow(RangeError);
		expect(() => store.readAll({ direction: "up" as never })).toThrow(TypeError);
	});

	test("throws the reason of a signal that aborts, at once or on the way", async () => {
		const { store } = await filledStore(await temporaryDirectory());
		const reason = new Error("enough");
		for (const read of [store.readAll.bind(store), store.read.bind(store, "s-1")]) {
			expect(await rejection(collect(read({ signal: AbortSignal.abort(reason) })))).toBe(reason);
			const controller = new AbortController();
			const seen: RecordedEvent[] = [];
			const reading = async () => {
				for await (const event of read({ signal: controller.signal })) {
					seen.push(event);
					if (seen.length === 3) controller.abort(reason);
				}
			};
			expect(await rejection(reading)).toBe(reason);
			expect(seen.length).toBe(3);
		}
	});

	test("refuses an event whose bytes have changed since, names the place, and ends all writing", async () => {
		const directory = await temporaryDirectory();
		const { store } = await filledStore(directory);
		const log = await readFile(logFile(directory));
		const at = log.indexOf('{"position":"50"');
		log[at + 60] = (log[at + 60] as number) ^ 1;
		await writeFile(logFile(directory), log);
		const fault = await rejection(collect(store.readAll()));
		expect(fault).toMatchObject({ reason: "corrupt", message: expect.stringContaining(`byte ${at}`) });
		const stream = `s-${49 % 7}`;
		expect(await rejection(collect(store.read(stream)))).toMatchObject({ reason: "corrupt" });
		expect(store.failure()).toBe(fault);
		expect(await rejection(store.append("new", [newEvent()], "any"))).toBe(fault);
	});

	test("finds its place from any position, both ways, with any limit", async () => {
		const { store, all } = await filledStore(await temporaryDirectory());
		const whole = Array.from({ length: 300 }, (_, at) => at + 1);
		expect(positions(all)).toEqual(whole);
		expect(positions(await collect(store.readAll({ direction: "backward" })))).toEqual([...whole].reverse());
		for (const after of [0, 1, 50, 99, 100, 101, 299, 300, 301, 2 ** 53]) {
			const forward = await collect(store.readAll({ after: toPosition(after), limit: 5 }));
			expect(positions(forward)).toEqual(whole.filter((position) => position > after).slice(0, 5));
			const backward = await collect(
				store.readAll({ after: toPosition(after), direction: "backward", limit: 5 }),
			);
			expect(positions(backward)).toEqual(
				whole
					.filter((position) => position < after)
					.reverse()
					.slice(0, 5),
			);
		}
		expect(await collect(store.readAll({ limit: 0 }))).toEqual([]);
	});

	test("finds every version of a stream, both ways", async () => {
		const { store, all } = await filledStore(await temporaryDirectory());
		for (const stream of ["s-0", "s-2"]) {
			const expected = all.filter((event) => event.stream === stream);
			expect(await collect(store.read(stream))).toEqual(expected);
			expect(await collect(store.read(stream, { direction: "backward" }))).toEqual([...expected].reverse());
			expect(await collect(store.read(stream, { after: 5, limit: 2 }))).toEqual(expected.slice(5, 7));
			const before = await collect(store.read(stream, { after: 5, direction: "backward", limit: 2 }));
			expect(before).toEqual(expected.slice(2, 4).reverse());
		}
	});

	test("sees what is appended while it reads", async () => {
		const store = await openStore(await temporaryDirectory());
		await store.append("a", [newEvent(0)], "any");
		let count = 0;
		for await (const { version } of store.readAll()) {
			count += 1;
			expect(version).toBe(count);
			if (count < 10) await store.append("a", [newEvent(count)], "any");
		}
		expect(count).toBe(10);
	});

	test("takes the log run by run, and only the runs that it needs", async () => {
		const directory = await temporaryDirectory();
		const { store: first } = await filledStore(directory);
		await first.close();
		const disk = scriptedDisk();
		const store = await openStore(directory, { fileSystem: disk.fileSystem });
		disk.trace.length = 0;
		await collect(store.readAll({ after: toPosition(295) }));
		const reads = disk.trace.filter(({ operation, path, phase }) => {
			return operation === "read" && path.endsWith(LOG_FILE) && phase === "finished";
		});
		expect(reads.length).toBeLessThanOrEqual(2);
	});

	test("that is under way when the store closes ends with closed", async () => {
		const { store } = await filledStore(await temporaryDirectory());
		const reading = async () => {
			for await (const _ of store.readAll()) await store.close();
		};
		expect(await rejection(reading)).toMatchObject({ reason: "closed" });
	});
});

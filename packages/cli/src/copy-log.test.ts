import { lastPosition } from "@reelkeep/core";
// The events of a copy, on real logs of random shapes, cut short at random places.

import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Clock, type EventStore, type NewEvent, type Position, toPosition } from "@reelkeep/core/ports";
import { createFsEventStore, type FsEventStore } from "@reelkeep/storage-fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { placeCheckpoints } from "./copy-checkpoints.js";
import { createLogCopy, type LogCopyDeps } from "./copy-log.js";
import { createCopyProgress } from "./copy-progress.js";
import { keptOf, temporaryFolder } from "./test-copy.js";

/** Its time is what the test says; it goes back, too. */
function clockOf(times: readonly number[]): Clock {
	let at = 0;
	return { now: () => times[at++ % times.length] ?? 0, sleep: (delayMs) => pause(delayMs) };
}

async function openLog(directory: string, times: readonly number[] = [1]): Promise<FsEventStore> {
	const store = createFsEventStore({ directory, clock: clockOf(times), segmentBytes: 4_096 });
	await store.open();
	return store;
}

const noted = (id: string, note = ""): NewEvent => ({
	id,
	type: note.length % 2 === 0 ? "Noted" : "AlsoNoted",
	schemaVersion: 1 + (note.length % 3),
	data: { note },
	metadata: { requestId: id },
});

const quiet = createCopyProgress({ apply: () => undefined }, new AbortController().signal);

async function copyOf(source: EventStore, target: FsEventStore, more: Partial<LogCopyDeps> = {}) {
	return createLogCopy({
		source,
		target: { events: target, lastPosition: () => lastPosition(target) },
		end: await lastPosition(source),
		places: placeCheckpoints([]),
		progress: quiet,
		signal: new AbortController().signal,
		...more,
	});
}

async function two() {
	const folder = temporaryFolder();
	return { source: await openLog(join(folder, "a")), target: await openLog(join(folder, "b")) };
}

async function fill(store: EventStore, ids: readonly string[], stream = "s"): Promise<void> {
	for (const id of ids) await store.append(stream, [noted(id)], "any");
}

test.each<[string, readonly string[], readonly string[]]>([
	["another event at its beginning", ["x"], ["a", "b"]],
	["more than the source", ["a", "b", "c"], ["a", "b"]],
	["another event in its middle", ["a", "x", "c"], ["a", "b", "c", "d"]],
	["something where the source has nothing", ["a"], []],
])("a copy that holds %s is refused", async (_, held, has) => {
	const { source, target } = await two();
	await fill(source, has);
	await fill(target, held);
	await expect((await copyOf(source, target)).compare()).rejects.toMatchObject({
		_tag: "StoreFault",
		message: expect.stringContaining("it is another store"),
	});
	expect((await keptOf(target)).map(({ id }) => id)).toEqual(held);
	await Promise.all([source.close(), target.close()]);
});

test("a copy to which somebody else writes meanwhile is refused", async () => {
	const { source, target } = await two();
	await fill(source, ["a", "b"]);
	const copy = await copyOf(source, target);
	await copy.compare();
	await fill(target, ["mine"], "another");
	await expect(copy.addRest()).rejects.toMatchObject({ message: expect.stringContaining("somebody else") });
	await Promise.all([source.close(), target.close()]);
});

test("a copy that reads otherwise than what was written is no copy", async () => {
	const { source, target } = await two();
	await fill(source, ["a", "b"]);
	const events: FsEventStore = {
		...target,
		async *readAll(options) {
			for await (const event of target.readAll(options)) yield { ...event, recordedAt: 2 };
		},
	};
	const copy = await copyOf(source, events);
	await copy.compare();
	await copy.addRest();
	await expect(copy.verify()).rejects.toMatchObject({ _tag: "StoreFault", reason: "corrupt" });
	await Promise.all([source.close(), target.close()]);
});

test("an abort ends a copy between two batches, and what was written stays", async () => {
	const { source, target } = await two();
	await fill(source, ["a"]);
	const stopping = new AbortController();
	const progress = createCopyProgress({ apply: () => undefined }, stopping.signal);
	const copy = await copyOf(source, target, { signal: stopping.signal, progress });
	await copy.compare();
	stopping.abort("SIGINT");
	await expect(copy.addRest()).rejects.toBe("SIGINT");
	await Promise.all([source.close(), target.close()]);
});

test("the order, versions and times of any log are the same in its copy, in however many runs", async () => {
	const appends = fc.array(
		fc.record({
			stream: fc.constantFrom("a", "b", "c", "__proto__", "stream \u007f"),
			notes: fc.array(fc.string({ unit: "binary", maxLength: 40 }), { minLength: 1, maxLength: 3 }),
		}),
		{ maxLength: 30 },
	);
	const times = fc.array(fc.integer({ min: 0, max: 2_000_000_000_000 }), { minLength: 1, maxLength: 8 });
	await fc.assert(
		fc.asyncProperty(appends, times, fc.array(fc.nat(60), { maxLength: 3 }), async (log, clock, ends) => {
			const folder = temporaryFolder();
			const source = await openLog(join(folder, "a"), clock);
			const target = await openLog(join(folder, "b"));
			let serial = 0;
			const positions: Position[] = [];
			for (const { stream, notes } of log) {
				const events = notes.map((note) => noted(`id-${serial++}`, note));
				await source.append(stream, events, "any");
			}
			for await (const { position } of source.readAll()) positions.push(position);
			const until = ends.sort((left, right) => left - right).map((end) => positions[end]);
			for (const end of [...until, positions.at(-1)]) {
				const places = placeCheckpoints([{ name: "x", position: toPosition(10) }]);
				const copy = await copyOf(source, target, { places, ...(end && { end }) });
				await copy.compare();
				await copy.addRest();
				const { count } = await copy.verify();
				expect((await keptOf(source)).slice(0, count)).toEqual(await keptOf(target));
			}
			expect(await keptOf(target)).toEqual(await keptOf(source));
			for (const stream of new Set(log.map((each) => each.stream))) {
				const versions: number[] = [];
				for await (const { version } of target.read(stream)) versions.push(version);
				expect(versions).toEqual(versions.map((_, at) => at + 1));
			}
			await Promise.all([source.close(), target.close()]);
		}),
		{ numRuns: 25 },
	);
});

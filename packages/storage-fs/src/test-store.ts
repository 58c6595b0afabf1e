// For this package's tests only: events, stores and what to do with them.

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, EventStore, Logger, NewEvent, RecordedEvent } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { expect, onTestFinished } from "vitest";
import { createFsEventStore, type FsEventStore, type FsEventStoreOptions } from "./event-store.js";
import type { Watermark } from "./log-files.js";
import type { Ownership } from "./ownership.js";
import { temporaryDirectory, unsyncedDisk } from "./test-disk.js";

export const LOG_FILE = "events/00000001.ndjson";

/** Time that stands still; what waits, waits for 20 ms at most. */
export const clock: Clock = {
	now: () => 1_750_000_000_000,
	sleep: (delayMs, signal) => sleep(Math.min(delayMs, 20), undefined, { signal }).catch(() => undefined),
};

/** Time that goes on only when the test says so. */
export function steppedClock() {
	const delays: number[] = [];
	let wake = () => {};
	const stepped: Clock = {
		now: clock.now,
		sleep: (delayMs, signal) =>
			new Promise((resolve) => {
				delays.push(delayMs);
				wake = resolve;
				if (signal?.aborted) resolve();
				signal?.addEventListener("abort", () => resolve());
			}),
	};
	return { clock: stepped, delays, advance: () => wake() };
}

let serial = 0;

export function newEvent(note: unknown = "x"): NewEvent {
	serial += 1;
	return {
		id: `event-${serial}`,
		type: "Noted",
		schemaVersion: 1,
		data: { note } as NewEvent["data"],
		metadata: { ingress: "test" },
	};
}

/** For tests that are not about ownership: nobody else is there. */
export const soleOwnership: Ownership = {
	acquire: async () => ({ publish: () => {}, release: async () => {} }),
	connect: async () => undefined,
};

/** An owner and readers in one process. */
export function sharedOwnership(): Ownership {
	let durable: Watermark | undefined;
	const listeners = new Set<() => void>();
	return {
		acquire: async () => ({
			publish(latest) {
				durable = latest;
				for (const listener of listeners) listener();
			},
			release: async () => {
				durable = undefined;
			},
		}),
		connect: async () =>
			durable && {
				owner: { pid: 1, host: "h", startedAt: 1 },
				durable: async () => durable,
				isOpen: () => durable !== undefined,
				onChange(listener) {
					listeners.add(listener);
					return () => void listeners.delete(listener);
				},
				close: () => {},
			},
	};
}

/** A store without sockets that is open, and closed when the test is over. */
export async function openStore(
	directory: string,
	options: Partial<FsEventStoreOptions> = {},
): Promise<FsEventStore> {
	const store = createFsEventStore({
		directory,
		clock,
		logger: transcribingLogger(),
		ownership: soleOwnership,
		...options,
	});
	onTestFinished(() => store.close());
	await store.open();
	return store;
}

export async function collect(events: AsyncIterable<RecordedEvent>): Promise<readonly RecordedEvent[]> {
	const collected: RecordedEvent[] = [];
	for await (const event of events) collected.push(event);
	return collected;
}

export async function idsOf(store: EventStore): Promise<readonly string[]> {
	return (await collect(store.readAll())).map(({ id }) => id);
}

/** Removes what a process that was killed leaves in the cache, and a power cut does not. */
export async function forgetDurableNote(directory: string): Promise<void> {
	await rm(join(directory, "events/durable"), { force: true });
}

export function logFile(directory: string): string {
	return join(directory, LOG_FILE);
}

/** The file of a segment. */
export function segmentFile(directory: string, segment: number): string {
	return join(directory, `events/${String(segment).padStart(8, "0")}.ndjson`);
}

/** The index file of a segment. */
export function indexFile(directory: string, segment: number): string {
	return segmentFile(directory, segment).replace("ndjson", "index");
}

/** How many segments there are. */
export async function countSegmentFiles(directory: string): Promise<number> {
	return (await readdir(join(directory, "events"))).filter((name) => name.endsWith(".ndjson")).length;
}

/** What `work` rejects with; `undefined` when it does not. */
export async function rejection(work: Promise<unknown> | (() => Promise<unknown>)): Promise<unknown> {
	try {
		await (typeof work === "function" ? work() : work);
		return undefined;
	} catch (error) {
		return error;
	}
}

export interface Said {
	readonly level: string;
	readonly details: Record<string, unknown>;
	readonly message: string;
}

/** A logger that also keeps what it was told. */
export function keepingLogger(): { readonly logger: Logger; readonly said: Said[] } {
	const said: Said[] = [];
	const transcript = transcribingLogger();
	const keep =
		(level: keyof Logger) =>
		(details: object, message: string): void => {
			transcript[level](details, message);
			said.push({ level, details: details as Record<string, unknown>, message });
		};
	return {
		said,
		logger: {
			trace: keep("trace"),
			debug: keep("debug"),
			info: keep("info"),
			warn: keep("warn"),
			error: keep("error"),
		},
	};
}

/** An event that a log should hold. */
export interface Noted {
	readonly id: string;
	readonly stream: string;
	readonly version: number;
	readonly position: number;
}

/** What a log should hold, in the order of positions; kept by those who append, from what they are told. */
export type Notes = Noted[];

/** Appends, and notes it. */
export async function appendNoted(
	store: EventStore,
	notes: Notes,
	stream: string,
	events: readonly NewEvent[],
): Promise<void> {
	const result = await store.append(stream, events, "any");
	if (result._tag !== "Appended") throw new Error("any version is accepted");
	for (const [at, { id }] of events.entries()) {
		const behind = events.length - 1 - at;
		const position = Number(result.position) - behind;
		notes[position - 1] = { id, stream, version: result.version - behind, position };
	}
}

/** So many appends, of one to four events, to several streams; some of them larger than a small segment. */
export async function fillNoted(store: EventStore, notes: Notes, appends: number): Promise<void> {
	for (let at = 0; at < appends; at += 3) {
		const together = [at, at + 1, at + 2].filter((each) => each < appends);
		await Promise.all(
			together.map((each) => {
				const size = each % 23 === 11 ? 5000 : (each * 37) % 300;
				const events = Array.from({ length: 1 + ((each * 7) % 4) }, () => newEvent("x".repeat(size)));
				return appendNoted(store, notes, `s-${(each * each) % 7}-${each % 5 === 0 ? each : "old"}`, events);
			}),
		);
	}
}

export function noted({ id, stream, version, position }: RecordedEvent): Noted {
	return { id, stream, version, position: Number(position) };
}

/** Reads everything in both directions, and each stream, and compares it with what was noted. */
export async function expectNoted(store: EventStore, notes: Notes): Promise<void> {
	const read = async (events: AsyncIterable<RecordedEvent>) => (await collect(events)).map(noted);
	expect(await read(store.readAll())).toEqual(notes);
	expect(await read(store.readAll({ direction: "backward" }))).toEqual([...notes].reverse());
	for (const stream of new Set(notes.map((note) => note.stream))) {
		expect(await read(store.read(stream))).toEqual(notes.filter((note) => note.stream === stream));
	}
}

/** For logs of many segments, in tests that cut no power. */
export const smallSegments = { segmentBytes: 2048, fileSystem: unsyncedDisk() };

/** A log of several segments that was closed, with its index files or without. */
export async function closedSegments(indexes: "with" | "without" = "with") {
	const directory = await temporaryDirectory();
	const notes: Notes = [];
	const store = await openStore(directory, smallSegments);
	await fillNoted(store, notes, 21);
	await store.close();
	const segments = await countSegmentFiles(directory);
	expect(segments).toBeGreaterThan(5);
	for (let segment = 1; segment <= segments && indexes === "without"; segment += 1) {
		await rm(indexFile(directory, segment));
	}
	return { directory, notes, segments };
}

export interface PlacedLine {
	readonly position: number;
	readonly from: number;
	/** Its newline included. */
	readonly to: number;
}

/** Where the records of a segment stand. */
export async function linesOf(directory: string, segment: number): Promise<readonly PlacedLine[]> {
	const text = await readFile(segmentFile(directory, segment), "latin1");
	const lines: PlacedLine[] = [];
	let from = text.indexOf("\n") + 1;
	for (let end = text.indexOf("\n", from); end !== -1; end = text.indexOf("\n", from)) {
		lines.push({ position: Number(/"position":"(\d+)"/.exec(text.slice(from))?.[1]), from, to: end + 1 });
		from = end + 1;
	}
	return lines;
}

/** Changes bits of one byte of a segment; the same again undoes it. */
export async function flip(directory: string, segment: number, at: number, mask = 1): Promise<void> {
	const bytes = await readFile(segmentFile(directory, segment));
	bytes[at] = (bytes[at] as number) ^ mask;
	await writeFile(segmentFile(directory, segment), bytes);
}

// For the test of the event store's suite only: sound stores in memory, and how a flaw is planted in them.

import { meetsExpectation } from "../memory/event-selection.js";
import { createMemoryEventStore } from "../memory/event-store.js";
import {
	type AppendResult,
	checkAppend,
	type EventStore,
	type NewEvent,
	type RecordedEvent,
	type StreamName,
	storeFault,
} from "../ports/index.js";
import type { EventStoreHarness } from "./event-store.js";
import { pause } from "./pause.js";
import { collect } from "./sample-events.js";

export type MakeHarness = () => Promise<EventStoreHarness>;

/** What is broken, and the clauses that fail with it. */
export interface Flaw {
	readonly breaks: readonly string[];
	readonly make: MakeHarness;
}

const clock = { now: () => Date.now() };

/** A memory store of which `flaw` replaces some members. */
export function broken(flaw: (store: EventStore) => Partial<EventStore> = () => ({})): MakeHarness {
	return async () => ({
		open: async () => {
			const store = createMemoryEventStore({ clock });
			return { ...store, ...flaw(store) };
		},
		dispose: async () => undefined,
	});
}

/** `store` with another `append`, for which its close waits. */
export function finishing(
	store: EventStore,
	append: EventStore["append"],
): Pick<EventStore, "append" | "close"> {
	const underWay = new Set<Promise<unknown>>();
	return {
		append(...args) {
			const appending = append(...args);
			underWay.add(appending);
			return appending.finally(() => underWay.delete(appending));
		},
		async close() {
			await Promise.allSettled(underWay);
			await store.close();
		},
	};
}

/**
 * A store that finds its events again when it is opened again; one that was killed rejects whatever it is asked. `flaw` replaces some members of each session's store;
 * `old` is the log at its opening, `isKilled` whether the session before it was.
 */
export function reopenable(
	flaw: (
		store: EventStore,
		old: readonly RecordedEvent[],
		session: number,
		isKilled: boolean,
	) => Partial<EventStore> = () => ({}),
): MakeHarness {
	return async () => {
		const disk = createMemoryEventStore({ clock });
		let sessions = 0;
		let kill = (): void => undefined;
		const open = async (isKilled: boolean): Promise<EventStore> => {
			if (isKilled) kill();
			sessions += 1;
			const session = openSession(disk);
			kill = session.kill;
			const { store } = session;
			return { ...store, ...flaw(store, await collect(disk.readAll()), sessions, isKilled) };
		};
		return { open: () => open(false), crash: () => open(true), dispose: async () => undefined };
	};
}

/** One process and its store. */
function openSession(disk: EventStore) {
	let isClosed = false;
	let isKilled = false;
	const refuseOver = (): void => {
		if (isKilled) throw new Error("the process is gone");
		if (isClosed) throw storeFault("closed", "this session is closed");
	};
	const store: EventStore = {
		supports: { persistence: true },
		async append(...args) {
			refuseOver();
			return disk.append(...args);
		},
		async *read(...args) {
			refuseOver();
			yield* disk.read(...args);
		},
		async *readAll(...args) {
			refuseOver();
			yield* disk.readAll(...args);
		},
		onAppended: disk.onAppended,
		async close() {
			if (isKilled) refuseOver();
			isClosed = true;
		},
	};
	return {
		store,
		kill: (): void => {
			isKilled = true;
		},
	};
}

export type GroupFlaw =
	| "forgets what waits in other streams"
	| "tells of a conflict at once"
	| "answers before it shows"
	| "tells the position of the whole group"
	| "shows a batch in parts";

interface WaitingAppend {
	readonly stream: StreamName;
	readonly events: readonly NewEvent[];
	readonly resolve: (result: AppendResult) => void;
}

/** A store that decides appends at once and writes them in groups, as a log does that waits for a disk. */
export function grouping(flaw?: GroupFlaw): MakeHarness {
	return broken((store) => {
		const waiting: WaitingAppend[] = [];
		const durable = new Map<StreamName, number>();
		const pending = new Map<StreamName, { readonly version: number; readonly settled: Promise<unknown> }>();
		let flushing: Promise<void> | undefined;
		let shown = Number.POSITIVE_INFINITY;
		let closed = false;

		const flush = async (): Promise<void> => {
			await pause();
			while (waiting.length > 0) {
				const group = waiting.splice(0);
				if (flaw === "answers before it shows") shown = (await collect(store.readAll())).length;
				const written = [];
				for (const [index, { stream, events, resolve }] of group.entries()) {
					const result = await write(stream, events);
					if (result._tag === "Appended") durable.set(stream, result.version);
					written.push({ resolve, result });
					if (flaw === "answers before it shows" && index < group.length - 1) resolve(result);
				}
				shown = Number.POSITIVE_INFINITY;
				const last = written.at(-1)?.result;
				for (const { resolve, result } of written) {
					const position = last?._tag === "Appended" ? last.position : undefined;
					const isWrong = flaw === "tells the position of the whole group" && position !== undefined;
					resolve(isWrong && result._tag === "Appended" ? { ...result, position } : result);
				}
			}
			flushing = undefined;
		};
		const write = async (stream: StreamName, events: readonly NewEvent[]): Promise<AppendResult> => {
			if (flaw !== "shows a batch in parts") return store.append(stream, events, "any");
			const first = await store.append(stream, events.slice(0, 1), "any");
			if (events.length === 1) return first;
			await pause();
			return store.append(stream, events.slice(1), "any");
		};

		return {
			async append(stream, events, expected) {
				if (closed) throw storeFault("closed", "the store is closed");
				checkAppend(stream, events, expected);
				const before = pending.get(stream);
				const version = before?.version ?? durable.get(stream) ?? 0;
				if (!meetsExpectation(version, expected)) {
					if (flaw !== "tells of a conflict at once") await before?.settled;
					return { _tag: "WrongExpectedVersion", actualVersion: version };
				}
				const taken = JSON.parse(JSON.stringify(events)) as readonly NewEvent[];
				const settled = new Promise<AppendResult>((resolve) => {
					waiting.push({ stream, events: taken, resolve });
				});
				if (flaw === "forgets what waits in other streams") pending.clear();
				pending.set(stream, { version: version + events.length, settled });
				flushing ??= flush();
				return settled;
			},
			read: (stream, options) => upTo(() => shown, store.read(stream, options)),
			readAll: (options) => upTo(() => shown, store.readAll(options)),
			async close() {
				closed = true;
				await flushing;
				await store.close();
			},
		};
	});
}

async function* upTo(last: () => number, events: AsyncIterable<RecordedEvent>) {
	for await (const event of events) if (Number(event.position) <= last()) yield event;
}

export async function* map(
	events: AsyncIterable<RecordedEvent>,
	change: (event: RecordedEvent) => RecordedEvent,
) {
	for await (const event of events) yield change(event);
}

export async function* filter(events: AsyncIterable<RecordedEvent>, keep: (event: RecordedEvent) => boolean) {
	for await (const event of events) if (keep(event)) yield event;
}

/** FNV-1a with 32 bits, of ASCII. */
export function fnv1a(name: string): number {
	return Array.from(name).reduce(
		(hash, character) => Math.imul(hash ^ character.charCodeAt(0), 0x01000193),
		0x811c9dc5,
	);
}

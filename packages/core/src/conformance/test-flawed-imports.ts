// For the test of the import suite only: a log in memory that takes events over, soundly but for a flaw.

import { checkImport, passedVersion } from "../ports/check-import.js";
import { type Position, type RecordedEvent, storeFault, toPosition } from "../ports/index.js";
import type { EventImportHarness, ImportingStore } from "./event-import.js";
import { turn } from "./kill-moments.js";

export type MakeImports = () => Promise<EventImportHarness>;

/** Where a flaw can be planted. */
export interface ImportHooks {
	/** What the log keeps of an event. */
	readonly keep?: (event: RecordedEvent, at: number) => RecordedEvent;
	/** The order in which the log keeps them. */
	readonly order?: (events: readonly RecordedEvent[]) => readonly RecordedEvent[];
	/** How a stream is handed out. */
	readonly stream?: (events: readonly RecordedEvent[]) => readonly RecordedEvent[];
	/** The version that a stream has come to. */
	readonly versionOf?: (held: readonly RecordedEvent[]) => number;
	readonly check?: typeof checkImport;
	/** Whether the log ends there. */
	readonly endsAt?: (log: readonly RecordedEvent[], after: Position | undefined) => boolean;
	/** Whether versions that a stream has come to are refused. */
	readonly isPassed?: (version: number, reached: number) => boolean;
	/** Whether the end is looked at before anything is awaited, and never again. */
	readonly isEarly?: boolean;
	/** What a later process, or one after a kill, finds. */
	readonly found?: (log: readonly RecordedEvent[], after: "reopen" | "crash") => readonly RecordedEvent[];
}

const versionOfLast = (held: readonly RecordedEvent[]): number => held.at(-1)?.version ?? 0;
const lastOf = (log: readonly RecordedEvent[]): Position | undefined => log.at(-1)?.position;

/** Makes harnesses of stores with a flaw. */
export function flawedImports(hooks: ImportHooks = {}): MakeImports {
	return async () => {
		let log: readonly RecordedEvent[] = [];
		let process = 0;
		const open = async (): Promise<ImportingStore> => {
			process += 1;
			const own = process;
			return openImports(hooks, {
				log: () => log,
				write(events) {
					if (own !== process) throw storeFault("closed", "this process was killed");
					log = [...log, ...events];
				},
			});
		};
		const later = (after: "reopen" | "crash") => async () => {
			log = hooks.found?.(log, after) ?? log;
			return open();
		};
		return { open, reopen: later("reopen"), crash: later("crash"), dispose: async () => undefined };
	};
}

interface Disk {
	readonly log: () => readonly RecordedEvent[];
	readonly write: (events: readonly RecordedEvent[]) => void;
}

function openImports(hooks: ImportHooks, { log, write }: Disk): ImportingStore {
	const {
		keep = (event) => event,
		order = (events) => events,
		stream: handOut = (events) => events,
		versionOf = versionOfLast,
		check = checkImport,
		endsAt = (events, after) => lastOf(events) === after,
		isPassed = (version, reached) => version <= reached,
		isEarly = false,
	} = hooks;
	const held = (stream: string) => log().filter((event) => event.stream === stream);
	const place = (events: readonly RecordedEvent[]): readonly RecordedEvent[] => {
		const end = Number(lastOf(log()) ?? 0);
		return events.map((event, at) => ({ ...event, position: toPosition(end + at + 1) }));
	};
	return {
		supports: { persistence: true },
		async append(stream, events, expected) {
			const version = versionOf(held(stream));
			const wanted = expected === "any" ? version : expected === "no-stream" ? 0 : expected;
			if (wanted !== version) return { _tag: "WrongExpectedVersion", actualVersion: version };
			const recorded = events.map((event, at) => ({
				...event,
				stream,
				version: version + at + 1,
				position: toPosition(0),
				recordedAt: 1,
			}));
			write(place(recorded));
			return { _tag: "Appended", version: version + events.length, position: toPosition(log().length) };
		},
		async importEvents(events, after) {
			check(events, after);
			if (isEarly && !endsAt(log(), after)) return { _tag: "WrongEnd" };
			await turn();
			if (!isEarly && !endsAt(log(), after)) return { _tag: "WrongEnd" };
			for (const event of events) {
				if (isPassed(event.version, versionOfLast(held(event.stream)))) throw passedVersion();
			}
			const copies = JSON.parse(JSON.stringify(order(events))) as readonly RecordedEvent[];
			const placed = place(copies.map(keep));
			write(placed);
			return { _tag: "Imported", positions: placed.map(({ position }) => position) };
		},
		async *read(stream, { direction } = {}) {
			const events = handOut(held(stream));
			yield* direction === "backward" ? events.toReversed() : events;
		},
		async *readAll({ direction } = {}) {
			yield* direction === "backward" ? log().toReversed() : log();
		},
		onAppended: () => () => undefined,
		close: async () => undefined,
	};
}

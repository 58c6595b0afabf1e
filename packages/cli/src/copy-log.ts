// The events of a store that is copied. What the copy has is found out by reading both; what it lacks is added behind that;
// in the end that is read again and compared.

import { setTimeout as pause } from "node:timers/promises";
import { lastPosition } from "@reelkeep/core";
import {
	comparePositions,
	type EventStore,
	type Position,
	type RecordedEvent,
	type StoreFault,
	storeFault,
} from "@reelkeep/core/ports";
import type { CheckpointPlaces } from "./copy-checkpoints.js";
import { type CopyProgress, shareOf } from "./copy-progress.js";
import type { CopyTarget } from "./copy-target.js";
import { createLogDigest, eventLine } from "./log-digest.js";

/** Events that are added at once: as many as an import takes, and what is held in memory of them. */
const BATCH_EVENTS = 1_000;
const BATCH_CHARACTERS = 4 * 1024 * 1024;
/** An older transaction that stays open hides what is recorded from readers of the log. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 100;

export interface LogCopyDeps {
	readonly source: EventStore;
	readonly target: Pick<CopyTarget, "events" | "lastPosition">;
	/** The last event of the source that is copied; `undefined`: there is none. */
	readonly end: Position | undefined;
	readonly places: CheckpointPlaces;
	readonly progress: CopyProgress;
	readonly signal: AbortSignal;
}

export interface LogCopy {
	/**
	 * Finds what the copy has already. Resolves with where that ends in the source; `undefined`: it has nothing.
	 * *Errors*: rejects with a `StoreFault` when it holds anything else than what the source begins with.
	 */
	compare(): Promise<Position | undefined>;
	/** Adds the rest; resolves with how many events those were. Once, behind `compare`. */
	addRest(): Promise<number>;
	/** Reads what was added. *Errors*: rejects with `corrupt` unless the copy is what was read of the source. */
	verify(): Promise<{ readonly count: number; readonly sha256: string }>;
}

interface LinedEvent {
	readonly event: RecordedEvent;
	readonly line: string;
}

export function createLogCopy({ source, target, end, places, progress, signal }: LogCopyDeps): LogCopy {
	const digest = createLogDigest();
	const copy = target.events;
	let lastInSource: Position | undefined;
	let lastInCopy: Position | undefined;
	/** Of what this run has read of the copy: to begin with, what was there already. */
	let found = digest;
	let comparedInCopy: Position | undefined;
	const pass = (event: RecordedEvent, line: string, position: Position): void => {
		digest.add(line);
		places.pass(event.position, position);
		lastInSource = event.position;
		lastInCopy = position;
	};
	const addBatch = async (batch: readonly LinedEvent[]): Promise<void> => {
		const events = batch.map(({ event }) => event);
		const result = await copy.importEvents(events, lastInCopy);
		if (result._tag === "WrongEnd") throw writtenByOthers();
		for (const [at, { event, line }] of batch.entries()) pass(event, line, result.positions[at] as Position);
	};

	return {
		async compare() {
			await untilReadable(copy, await target.lastPosition(), signal);
			const theirs = copy.readAll({ signal })[Symbol.asyncIterator]();
			const part = progress.begin("comparing", "log");
			for await (const event of upTo(source, end, { signal })) {
				const held = await theirs.next();
				if (held.done === true) break;
				const line = eventLine(event);
				if (line !== eventLine(held.value)) throw otherLog();
				pass(event, line, held.value.position);
				part.add(line.length, shareOf(event.position, undefined, end));
			}
			part.end();
			// Where the source ended first, the copy must end too.
			if (lastInSource === end && (await theirs.next()).done !== true) throw otherLog();
			await theirs.return?.();
			found = digest.fork();
			comparedInCopy = lastInCopy;
			return lastInSource;
		},
		async addRest() {
			const before = digest.count;
			const start = lastInSource;
			const part = progress.begin("events", "log");
			let batch: LinedEvent[] = [];
			let adding = Promise.resolve();
			let characters = 0;
			const after = start === undefined ? {} : { after: start };
			for await (const event of upTo(source, end, { ...after, signal })) {
				const line = eventLine(event);
				batch.push({ event, line });
				characters += line.length;
				if (batch.length >= BATCH_EVENTS || characters >= BATCH_CHARACTERS) {
					// The next ones are read meanwhile.
					await adding;
					adding = addBatch(batch);
					adding.catch(() => undefined);
					part.add(characters, shareOf(event.position, start, end));
					batch = [];
					characters = 0;
				}
			}
			await adding;
			if (batch.length > 0) await addBatch(batch);
			part.end();
			return digest.count - before;
		},
		async verify() {
			await untilReadable(copy, lastInCopy, signal);
			const part = progress.begin("verifying", "log");
			const after = comparedInCopy === undefined ? {} : { after: comparedInCopy };
			for await (const event of copy.readAll({ ...after, signal })) {
				const line = eventLine(event);
				found.add(line);
				part.add(line.length, shareOf(event.position, comparedInCopy, lastInCopy));
			}
			part.end();
			const [sha256, shouldBe] = [found.sha256(), digest.sha256()];
			if (sha256 === shouldBe) return { count: found.count, sha256 };
			throw storeFault(
				"corrupt",
				`the copy is not the same as the source (${found.count} events of ${digest.count}): ` +
					"somebody else writes to it, or what was written cannot be read again. Copy to another place",
			);
		},
	};
}

const isBehind = (position: Position, end: Position | undefined): boolean =>
	end === undefined || comparePositions(position, end) > 0;

/** The events behind `after` and not behind `end`. */
export async function* upTo(
	store: EventStore,
	end: Position | undefined,
	options: Parameters<EventStore["readAll"]>[0],
): AsyncGenerator<RecordedEvent> {
	if (end === undefined) return;
	for await (const event of store.readAll(options)) {
		if (isBehind(event.position, end)) return;
		yield event;
	}
}

/** Waits until readers of the log see what is recorded up to `position`. *Errors*: rejects when that takes too long. */
export async function untilReadable(
	store: EventStore,
	position: Position | undefined,
	signal: AbortSignal,
): Promise<void> {
	if (position === undefined) return;
	for (let left = PATIENCE_MS; ; left -= LOOK_EVERY_MS) {
		signal.throwIfAborted();
		const last = await lastPosition(store);
		if (last !== undefined && comparePositions(last, position) >= 0) return;
		if (left <= 0) throw hiddenEvents();
		await pause(LOOK_EVERY_MS);
	}
}

function hiddenEvents(): StoreFault {
	return storeFault(
		"io",
		"a transaction in PostgreSQL stays open, and until it ends nobody sees the last events of the log (look into " +
			"pg_stat_activity and pg_prepared_xacts); then run the same command again",
		{ retryable: true },
	);
}

function otherLog(): StoreFault {
	return storeFault(
		"io",
		"--to holds events that --from does not begin with: it is another store, or one of the two has gone its own way " +
			"since it was copied (a server ran on the copy; the source was repaired, or restored). Nothing was changed; name another place",
		{ retryable: false },
	);
}

function writtenByOthers(): StoreFault {
	return storeFault(
		"io",
		"somebody else writes to --to: a server, or another copy. Stop it; if it has received callbacks of its own, the two " +
			"logs have parted, and the copy needs another place",
		{ retryable: false },
	);
}

// For this package's tests only: events, stores and what to do with them.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, EventStore, Logger, NewEvent, RecordedEvent } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/testing/transcript";
import { onTestFinished } from "vitest";
import { createFsEventStore, type FsEventStore, type FsEventStoreOptions } from "./event-store.js";
import type { Ownership } from "./ownership.js";

export const LOG_FILE = "events/00000001.ndjson";

/** Time that stands still; what waits, waits for 20 ms at most. */
export const clock: Clock = {
	now: () => 1_750_000_000_000,
	sleep: (delayMs, signal) => sleep(Math.min(delayMs, 20), undefined, { signal }).catch(() => undefined),
};

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

export function logFile(directory: string): string {
	return join(directory, LOG_FILE);
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

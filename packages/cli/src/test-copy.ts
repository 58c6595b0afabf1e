// For the tests of `reelkeep copy` only: stores with a log that was made for it, and what is read of both sides.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@reelkeep/core/container";
import type { EventStore, Position, RecordedEvent } from "@reelkeep/core/ports";
import { createFsCheckpointStore, createFsEventStore, openFsEventReader } from "@reelkeep/storage-fs";
import { onTestFinished } from "vitest";

/** A directory that is removed when the test is over. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "reelkeep-copy-"));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** Everything of an event but its position. */
export type KeptEvent = Omit<RecordedEvent, "position">;

export async function keptOf(store: EventStore): Promise<readonly KeptEvent[]> {
	const events: KeptEvent[] = [];
	for await (const { position: _, ...event } of store.readAll()) events.push(event);
	return events;
}

export async function keptIn(directory: string): Promise<readonly KeptEvent[]> {
	const reader = await openFsEventReader({ directory });
	try {
		return await keptOf(reader);
	} finally {
		await reader.close();
	}
}

export async function positionsIn(directory: string): Promise<readonly Position[]> {
	const reader = await openFsEventReader({ directory });
	const positions: Position[] = [];
	for await (const { position } of reader.readAll()) positions.push(position);
	await reader.close();
	return positions;
}

/** Appends so many events to streams that come again and again, two at a time now and then. */
export async function appendMany(directory: string, count: number, from = 0): Promise<void> {
	const store = createFsEventStore({ directory, clock: systemClock });
	await store.open();
	let waiting: Promise<unknown>[] = [];
	for (let at = from; at < from + count; at += 1) {
		const note = `${at} 游戏 `.repeat(1 + ((at * 7) % 60));
		const event = (part: string) => ({
			id: `event-${at}-${part}`,
			type: at % 5 === 0 ? "Noted" : "AlsoNoted",
			schemaVersion: 1 + (at % 3),
			data: { at, note },
			metadata: { ingress: "test", requestId: `request-${at}` },
		});
		const events = at % 11 === 0 ? [event("a"), event("b")] : [event("a")];
		waiting.push(store.append(`stream-${(at * at) % 997}`, events, "any"));
		if (waiting.length < 2_000) continue;
		await Promise.all(waiting);
		waiting = [];
	}
	await Promise.all(waiting);
	await store.close();
}

/** Where subscriptions stand. */
export async function saveIn(
	directory: string,
	checkpoints: Readonly<Record<string, Position>>,
): Promise<void> {
	const store = createFsCheckpointStore({ directory });
	await store.open();
	for (const [name, position] of Object.entries(checkpoints)) {
		await store.save(name, position, await store.load(name));
	}
	await store.close();
}

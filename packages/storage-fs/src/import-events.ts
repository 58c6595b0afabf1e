// Takes over events of another log: each is an append of its own that is decided already, by whoever recorded it.

import {
	checkImport,
	type ImportResult,
	type Position,
	passedVersion,
	type RecordedEvent,
	type StreamName,
	toPosition,
} from "@reelkeep/core/ports";
import { encodeAppend, lastVersion, type PendingAppend } from "./batch.js";
import type { GroupCommit } from "./group-commit.js";
import { findHead, type LineSource, type StreamHead } from "./stream-head.js";

/** *Errors*, *Promise*: as the port says. Batches are synced one behind the other, so that a crash leaves the first ones. */
export async function importEvents(
	{ view, writer }: { readonly view: LineSource; readonly writer: Pick<GroupCommit, "writeDecided"> },
	events: readonly RecordedEvent[],
	after: Position | undefined,
): Promise<ImportResult> {
	checkImport(events, after);
	const end = after === undefined ? 0 : Number(after);
	if (view.index.position !== end) return { _tag: "WrongEnd" };
	// They stay what they are: if the log is still at its end when it is written to, nobody has added to it.
	const heads = await findHeads(view, events);
	if (!(await writer.writeDecided(decideAll(view, events, heads), end))) return { _tag: "WrongEnd" };
	return { _tag: "Imported", positions: events.map((_, at) => toPosition(end + at + 1)) };
}

async function findHeads(
	view: LineSource,
	events: readonly RecordedEvent[],
): Promise<ReadonlyMap<StreamName, StreamHead>> {
	const heads = new Map<StreamName, StreamHead>();
	for (const stream of new Set(events.map((event) => event.stream))) {
		const head = await findHead(view, stream);
		if (head !== undefined) heads.set(stream, head);
	}
	return heads;
}

/** *Errors*: throws a `RangeError`. */
function decideAll(
	{ index }: LineSource,
	events: readonly RecordedEvent[],
	heads: ReadonlyMap<StreamName, StreamHead>,
): readonly PendingAppend[] {
	const lasts = new Map<StreamName, PendingAppend>();
	return events.map((event) => {
		const { stream, version, recordedAt } = event;
		const before = lasts.get(stream);
		const head = heads.get(stream);
		if (version <= (before === undefined ? (head?.version ?? 0) : lastVersion(before))) throw passedVersion();
		const pending = encodeAppend(stream, index.hash(stream), [event], recordedAt);
		pending.firstVersion = version;
		pending.follows = before ?? head?.position ?? 0;
		lasts.set(stream, pending);
		return pending;
	});
}

// Taking over the events of another log as they were recorded: for who moves a store, and nobody else. A capability of its
// own, because `append` gives out versions and times, and promises no order of calls for several streams (ADR 0044).

import type { Position, RecordedEvent } from "./event-store.js";

export interface EventImporter {
	/**
	 * Adds events of another log behind the end of this one, in their order over all streams: with their ids, types, schema
	 * versions, data, metadata, streams, versions and times. Positions are this log's own.
	 * *Shape*: 1 to 1,000 events. The versions of a stream grow; where a log was repaired that had lost some, those are
	 * missing here too. `after`: the last position of this log; `undefined`: it is empty.
	 * *Errors*: `WrongEnd` when the log does not end at `after`, because somebody else writes to it. A `TypeError` or a
	 * `RangeError` for what no store can keep, and for a version that its stream has reached already. These write nothing.
	 * Rejects with a `StoreFault`: the outcome may then be unknown, and reading the log settles it.
	 * *Promise*: durable when it resolves, and seen by every reader as an append is. After a crash some of them may be
	 * there: then the first ones, without a gap.
	 */
	importEvents(events: readonly RecordedEvent[], after: Position | undefined): Promise<ImportResult>;
}

export type ImportResult =
	| {
			readonly _tag: "Imported";
			/** Of each event, in their order. */
			readonly positions: readonly Position[];
	  }
	| { readonly _tag: "WrongEnd" };

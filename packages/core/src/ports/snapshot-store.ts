// Where a projection's state is kept between two runs. Only a short cut: whatever is lost is rebuilt from the log.

import type { Json, Position } from "./event-store.js";

/** A projection's state together with its place in the log: kept, and lost, as one. */
export interface Snapshot {
	/** Of the projection that made it: another one's state is not looked at. */
	readonly version: number;
	/** Of the last event that is folded into `state`, and its id: by the two a log is told from one that took its place. */
	readonly position: Position;
	readonly eventId: string;
	/** Of the event before that; absent: there is none. */
	readonly previous?: Position;
	readonly state: Json;
}

/** Keeps the newest snapshot of each projection. */
export interface SnapshotStore {
	/**
	 * The snapshot that was saved last; `undefined` when there is none, or none that can be trusted: damaged bytes are no
	 * fault, since the log has everything. *Shape*: what is changed in it reaches neither the store nor another load.
	 * *Errors*: rejects with a `StoreFault`.
	 */
	load(name: string): Promise<Snapshot | undefined>;

	/**
	 * Puts `snapshot` in the place of the one before.
	 * *Shape*: `name` is any non-empty string of at most 256 characters; the snapshot is taken as it is at the call.
	 * *Errors*: `TooLarge`, and what was there stays; rejects with a `StoreFault`.
	 * *Promise*: old or new, never a mixture nor none, also after a kill; durable when it resolves. Saves of one name take
	 * effect in the order of the calls. Of two owners the last one wins, and each snapshot is whole.
	 */
	save(name: string, snapshot: Snapshot): Promise<SaveSnapshotResult>;
}

export type SaveSnapshotResult =
	| { readonly _tag: "Saved" }
	| { readonly _tag: "TooLarge"; readonly bytes: number; readonly maxBytes: number };

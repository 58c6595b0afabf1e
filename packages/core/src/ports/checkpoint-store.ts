import type { Position } from "./event-store.js";

/** Remembers, for each named subscription, the last position that it finished. */
export interface CheckpointStore {
	/** The saved position, or `undefined` when `name` never saved one. */
	load(name: string): Promise<Position | undefined>;

	/**
	 * Moves `name` to `position` when it stands at `expected` (`undefined`: it has never been saved).
	 * *Shape*: `name` is any non-empty string of at most 256 characters; `position` is behind `expected`.
	 * *Errors*: `WrongCheckpoint` when another owner moved it; rejects with a `StoreFault`.
	 * *Promise*: durable when it resolves; never moves backward.
	 */
	save(name: string, position: Position, expected: Position | undefined): Promise<SaveResult>;
}

export type SaveResult =
	| { readonly _tag: "Saved" }
	| { readonly _tag: "WrongCheckpoint"; readonly actual: Position | undefined };

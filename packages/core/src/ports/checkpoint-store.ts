import type { Position } from "./event-store.js";

/**
 * Remembers, for each named subscription, the last position that it finished.
 * *Shape*: `name` is any string of 1 to 256 characters (UTF-16 code units), told apart by each of them: by case, by
 * spaces, by how a letter is composed. Positions are compared as numbers of any size, by `comparePositions`.
 * *Errors*: a name or a position of another shape is a `TypeError` or a `RangeError`, and changes nothing.
 */
export interface CheckpointStore {
	/** The saved position, or `undefined` when `name` never saved one. */
	load(name: string): Promise<Position | undefined>;

	/**
	 * Moves `name` to `position` when it stands at `expected` (`undefined`: it has never been saved).
	 * *Shape*: `position` is `expected` or comes after it.
	 * *Errors*: `WrongCheckpoint` when another owner moved it, with where it stands; a `RangeError` for a `position` that
	 * comes before `expected`, wherever the name stands; rejects with a `StoreFault`.
	 * *Promise*: durable when it resolves, and seen by every `load` that begins then; of saves with the same `expected`
	 * one moves it, however many run at once; never moves backward; changes no other name.
	 */
	save(name: string, position: Position, expected: Position | undefined): Promise<SaveResult>;
}

/** Where one name stands. A store that can be moved lists them; the port does not: nobody else needs to. */
export interface Checkpoint {
	readonly name: string;
	readonly position: Position;
}

export type SaveResult =
	| { readonly _tag: "Saved" }
	| { readonly _tag: "WrongCheckpoint"; readonly actual: Position | undefined };

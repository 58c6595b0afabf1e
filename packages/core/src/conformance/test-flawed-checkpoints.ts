// For the test of the checkpoint store's suite only: a sound store in memory, and how a flaw is planted in it.

import {
	type CheckpointStore,
	checkCheckpointMove,
	checkCheckpointName,
	comparePositions,
	type Position,
	type SaveResult,
} from "../ports/index.js";
import type { CheckpointStoreHarness } from "./checkpoint-store.js";

export type MakeCheckpoints = () => Promise<CheckpointStoreHarness>;

/** What is broken, and the clauses that fail with it. */
export interface CheckpointFlaw {
	readonly breaks: readonly string[];
	readonly make: MakeCheckpoints;
}

/** Where every name stands; outlives the store. */
export type Disk = Map<string, Position>;

/** What a flaw may look at. */
export interface CheckpointSession {
	readonly disk: Disk;
	/** How the session before it ended. */
	readonly after?: "reopen" | "crash";
}

/** A store that finds everything again. `plant` replaces some members of each session's store. */
export function brokenCheckpoints(
	plant: (store: CheckpointStore, session: CheckpointSession) => Partial<CheckpointStore> = () => ({}),
): MakeCheckpoints {
	return async () => {
		const disk: Disk = new Map();
		const open = (after?: "reopen" | "crash") => async (): Promise<CheckpointStore> => {
			const store = storeOn(disk);
			return { ...store, ...plant(store, { disk, ...(after !== undefined && { after }) }) };
		};
		return { open: open(), reopen: open("reopen"), crash: open("crash"), dispose: async () => undefined };
	};
}

function storeOn(disk: Disk): CheckpointStore {
	return {
		async load(name) {
			checkCheckpointName(name);
			return disk.get(name);
		},
		async save(name, position, expected) {
			checkCheckpointName(name);
			checkCheckpointMove(position, expected);
			return moveOn(disk, name, position, expected);
		},
	};
}

/** Without a look at its arguments. */
export function moveOn(
	disk: Disk,
	name: string,
	position: Position,
	expected: Position | undefined,
): SaveResult {
	const actual = disk.get(name);
	if (actual !== expected) return { _tag: "WrongCheckpoint", actual };
	disk.set(name, position);
	return { _tag: "Saved" };
}

/** A store that takes one name for another. */
export function renamed(rename: (name: string) => string): CheckpointFlaw {
	return {
		breaks: ["distinct-names", "reopened"],
		make: brokenCheckpoints((store) => ({
			async load(name) {
				checkCheckpointName(name);
				return store.load(rename(name));
			},
			async save(name, position, expected) {
				checkCheckpointName(name);
				return store.save(rename(name), position, expected);
			},
		})),
	};
}

export const isBackward = (position: Position, expected: Position | undefined): boolean =>
	expected !== undefined && comparePositions(position, expected) < 0;

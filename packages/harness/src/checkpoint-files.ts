// The checkpoints of a data directory, read from outside while nobody owns it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface SavedCheckpoint {
	/** The subscription's. */
	readonly name: string;
	readonly position: string;
}

/** What every `checkpoints/*.json` says; what a crash left half-written is not one. */
export function readCheckpoints(directory: string): readonly SavedCheckpoint[] {
	const folder = join(directory, "checkpoints");
	if (!existsSync(folder)) return [];
	return readdirSync(folder)
		.filter((name) => name.endsWith(".json"))
		.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}

/** Those that lie behind the end of a log whose last position is `last`. */
export function checkpointsAhead(directory: string, last: string | undefined): readonly SavedCheckpoint[] {
	return readCheckpoints(directory).filter(
		({ position }) => last === undefined || BigInt(position) > BigInt(last),
	);
}

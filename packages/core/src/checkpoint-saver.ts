// Saves how far a subscription has come, one save at a time, and tells who waits for that.

import { outwait, type Waiting } from "./outwait.js";
import type { CheckpointStore } from "./ports/checkpoint-store.js";
import type { Position } from "./ports/event-store.js";
import { storeFault } from "./ports/store-fault.js";

export interface CheckpointSaver {
	readonly saved: Position | undefined;
	/** Saves `position`, or what is asked for behind it meanwhile. */
	request(position: Position): void;
	/** Resolves when all that was asked for is saved; rejects with the fault that nobody can go on from. */
	settled(): Promise<void>;
}

/** `onSaved` is told what is saved; `onFatal` what nobody can go on from. */
export function createCheckpointSaver(
	checkpoints: CheckpointStore,
	waiting: Waiting,
	from: Position | undefined,
	listeners: { onSaved(position: Position): void; onFatal(error: unknown): void },
): CheckpointSaver {
	const { name } = waiting;
	let saved = from;
	let wanted = from;
	let underway: Promise<void> | undefined;

	const save = async (position: Position): Promise<void> => {
		let tries = 0;
		const result = await outwait(waiting, (count) => {
			tries = count;
			return checkpoints.save(name, position, saved);
		});
		// A save whose fault came after the deed is found done by the next one.
		const isOurs = result._tag === "Saved" || (tries > 1 && result.actual === position);
		if (!isOurs)
			throw storeFault("owned", `subscription ${name} has another owner: its checkpoint was moved`);
		saved = position;
		listeners.onSaved(position);
	};
	const saveAll = async (): Promise<void> => {
		try {
			while (wanted !== undefined && wanted !== saved) await save(wanted);
			underway = undefined;
		} catch (error) {
			listeners.onFatal(error);
			throw error;
		}
	};
	return {
		get saved() {
			return saved;
		},
		request(position) {
			wanted = position;
			if (underway !== undefined || position === saved) return;
			underway = saveAll();
			underway.catch(() => undefined);
		},
		async settled() {
			await underway;
		},
	};
}

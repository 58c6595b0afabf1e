// Work on small files that have a name: one at a time for each name, while their store is open.

import { storeFault } from "@reelkeep/core/ports";
import { toFault } from "./durable-files.js";

export interface NamedTurns {
	/**
	 * Does `work` once what was asked for under `name` before is over. *Errors*: rejects with `closed` while the store is not
	 * open, else with what `work` rejects with, as a `StoreFault`.
	 */
	take<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
	open(): void;
	/** Refuses new work, and resolves when all that was taken is over. Idempotent. */
	close(): Promise<void>;
}

/** `store` and `doing`: what its faults tell. */
export function createNamedTurns(store: string, doing: string): NamedTurns {
	const lastByName = new Map<string, Promise<unknown>>();
	let isOpen = false;
	return {
		async take(name, work) {
			if (!isOpen) throw storeFault("closed", `${store} is not open`);
			const turn = (lastByName.get(name) ?? Promise.resolve()).catch(() => {}).then(work);
			lastByName.set(name, turn);
			try {
				return await turn;
			} catch (error) {
				throw toFault(error, doing);
			} finally {
				if (lastByName.get(name) === turn) lastByName.delete(name);
			}
		},
		open() {
			isOpen = true;
		},
		async close() {
			isOpen = false;
			await Promise.allSettled(lastByName.values());
		},
	};
}

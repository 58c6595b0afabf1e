// Work on small files that have a name: one at a time for each name, while their store is open.

import { createTurns } from "@reelkeep/core";
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
	const turns = createTurns();
	let isOpen = false;
	return {
		async take(name, work) {
			if (!isOpen) throw storeFault("closed", `${store} is not open`);
			try {
				return await turns.take(name, work);
			} catch (error) {
				throw toFault(error, doing);
			}
		},
		open() {
			isOpen = true;
		},
		async close() {
			isOpen = false;
			await turns.settled();
		},
	};
}

// What an actor of the workload works with: a process, and the store as that process has it.

import { type EventStore, isStoreFault } from "@reelkeep/core/ports";
import type { SimulatedProcess } from "./machine.js";
import type { Random } from "./random.js";
import type { Run } from "./run.js";

export interface Scene {
	readonly run: Run;
	readonly process: SimulatedProcess;
	/** Watched by the model. */
	readonly store: EventStore;
	readonly random: Random;
	/** Which owner this is, counted over all lives. */
	readonly session: number;
}

/** Lets others go first. */
export function pause({ process }: Pick<Scene, "process">): Promise<void> {
	return process.perform("pause", () => undefined);
}

/**
 * Tries `work`, again after a fault that would pass, `times` at most; `undefined` when it does not work. What else goes
 * wrong is thrown; whether a fault may be is for the watches to judge.
 */
export async function persist<T>(
	{ process }: Pick<Scene, "process">,
	times: number,
	work: () => Promise<T>,
): Promise<{ readonly value: T } | undefined> {
	for (let tried = 1; ; tried += 1) {
		try {
			return { value: await work() };
		} catch (error) {
			if (!isStoreFault(error)) throw error;
			if (!error.retryable || tried >= times) return undefined;
			await process.clock.sleep(200 * tried);
		}
	}
}

// Time as a process of the simulated machine has it: the scheduler moves it on.

import type { Clock } from "@reelkeep/core/ports";
import type { Scheduler } from "./scheduler.js";

export function createSimulatedClock(
	scheduler: Scheduler,
	process: () => { readonly id: number; readonly isAlive: boolean },
): Clock {
	return {
		now: () => scheduler.now,
		sleep: (delayMs, signal) =>
			new Promise((resolve) => {
				const { id, isAlive } = process();
				if (!isAlive) return;
				if (signal?.aborted) return resolve();
				const wake = (): void => {
					signal?.removeEventListener("abort", abort);
					resolve();
				};
				const callOff = scheduler.sleep(id, delayMs, wake);
				const abort = (): void => {
					callOff();
					resolve();
				};
				signal?.addEventListener("abort", abort, { once: true });
			}),
	};
}

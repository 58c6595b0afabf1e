// Real time that a test can push ahead: for code that waits on real sockets and on a clock at once.

import type { Clock } from "@reelkeep/core/ports";

export interface ShiftingClock extends Clock {
	/** Moves time on by `ms` at once; sleepers whose time has come wake. */
	shift(ms: number): void;
}

/** A timer that is to wait longer does not wait at all. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Makes a clock that runs with the system's, and further ahead with every `shift`: for a test that cannot say when its
 * sockets are done, and wants a deadline or a pause to be over all the same.
 */
export function createShiftingClock(): ShiftingClock {
	const sleepers = new Set<() => void>();
	let offsetMs = 0;
	const now = (): number => Date.now() + offsetMs;
	return {
		now,
		shift(ms) {
			offsetMs += ms;
			for (const look of [...sleepers]) look();
		},
		sleep: (delayMs, signal) =>
			new Promise((resolve) => {
				const wakeAt = now() + delayMs;
				let timer: NodeJS.Timeout | undefined;
				const wake = (): void => {
					clearTimeout(timer);
					sleepers.delete(look);
					signal?.removeEventListener("abort", wake);
					resolve();
				};
				const look = (): void => {
					clearTimeout(timer);
					const leftMs = wakeAt - now();
					if (leftMs > 0) timer = setTimeout(look, Math.min(leftMs, MAX_TIMER_MS));
					else wake();
				};
				if (signal?.aborted) return resolve();
				signal?.addEventListener("abort", wake, { once: true });
				sleepers.add(look);
				look();
			}),
	};
}

// Times in which nothing is begun: while the event log cannot say what came of an attempt, or the disk takes no more.

import type { RetryPolicy } from "./retry.js";

const FIRST_PAUSE_MS = 1_000;

export interface Pauses {
	/** An attempt found the log, or the disk, failing: a pause, twice as long as the one before. */
	fault(message: string, now: number): void;
	/** An attempt got through. */
	passed(): void;
	/** UTC milliseconds. */
	until(): number;
	/** Since the last fault nothing got through: one attempt at a time finds out. */
	isProbing(): boolean;
	/** What is wrong. */
	message(): string | undefined;
}

/** The first pause lasts a second; none is longer than `maxDelayMs` of the policy. */
export function createPauses({ maxDelayMs }: Pick<RetryPolicy, "maxDelayMs">): Pauses {
	let until = 0;
	let faults = 0;
	let message: string | undefined;
	return {
		fault(what, now) {
			message = what;
			// Without jitter: nobody else waits for the same disk.
			until = now + Math.min(FIRST_PAUSE_MS * 2 ** Math.min(faults, 16), maxDelayMs);
			faults += 1;
		},
		passed() {
			faults = 0;
			message = undefined;
		},
		until: () => until,
		isProbing: () => faults > 0,
		message: () => message,
	};
}

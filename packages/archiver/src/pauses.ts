// Times in which nothing is begun: while the event log cannot say what came of an attempt, or the disk takes no more.

import { backoffDelay, type RetryPolicy } from "./retry.js";

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

/** The first pause is `firstDelayMs` of the policy at most; none is longer than `maxDelayMs`. */
export function createPauses(policy: RetryPolicy): Pauses {
	let until = 0;
	let faults = 0;
	let message: string | undefined;
	return {
		fault(what, now) {
			faults += 1;
			message = what;
			// Without jitter: nobody else waits for the same disk.
			until = now + backoffDelay({ attempts: faults, random: 1 }, policy);
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

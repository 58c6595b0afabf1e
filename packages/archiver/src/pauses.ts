// Times in which nothing is begun: while the event log cannot say what came of an attempt, or the disk takes no more.

import type { RetryPolicy } from "./retry.js";

const FIRST_PAUSE_MS = 1_000;
/** A probe may be a long download: others need not wait for its end. */
const PROBE_EVERY_MS = 60_000;
/** So many that could not tell end a probe: an origin that is down must not hold up all others. */
const MAX_UNCLEAR = 8;

export interface Pauses {
	/**
	 * An attempt found the log, or the disk, failing: a pause, twice as long as the one before, and no longer than `mostMs`;
	 * what fails in it, fails with it.
	 */
	fault(message: string, now: number, mostMs?: number): void;
	/** An attempt got through. */
	passed(): void;
	/** An attempt ended before it could tell. */
	unclear(): void;
	/** UTC milliseconds. */
	until(): number;
	/** Since the last fault nothing got through: one attempt at a time, or one a minute, finds out. */
	isProbing(): boolean;
	/** Notes that one begins that may find out. */
	probe(now: number): void;
	/** When the next may begin though one is under way. */
	nextProbeAt(): number;
	/** What is wrong. */
	message(): string | undefined;
}

/** The first pause lasts a second; none is longer than `maxDelayMs` of the policy. */
export function createPauses({ maxDelayMs }: Pick<RetryPolicy, "maxDelayMs">): Pauses {
	let until = 0;
	let faults = 0;
	let unclear = 0;
	let probedAt = Number.NEGATIVE_INFINITY;
	let message: string | undefined;
	const passed = (): void => {
		faults = 0;
		message = undefined;
	};
	return {
		fault(what, now, mostMs = Number.POSITIVE_INFINITY) {
			message = what;
			unclear = 0;
			if (now < until) return;
			// Without jitter: nobody else waits for the same disk.
			until = now + Math.min(FIRST_PAUSE_MS * 2 ** Math.min(faults, 16), maxDelayMs, mostMs);
			faults += 1;
		},
		passed,
		unclear() {
			unclear += 1;
			if (unclear === MAX_UNCLEAR) passed();
		},
		until: () => until,
		isProbing: () => faults > 0,
		probe(now) {
			probedAt = now;
		},
		nextProbeAt: () => probedAt + PROBE_EVERY_MS,
		message: () => message,
	};
}

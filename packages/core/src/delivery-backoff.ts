// When an event whose handler failed is tried again. Pure.

import { hashFields } from "./recording-id.js";

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 30_000;
const FIRST_PARKED_MS = 10_000;
const MAX_PARKED_MS = 60 * 60_000;

/** After `failures` of an event that other events of its lane wait for: 100 ms, doubled each time, at most 30 s. */
export function retryDelayMs(failures: number): number {
	return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS);
}

/**
 * After `failures` while it was parked, the first is the one that parked it: 10 s, doubled each time, at most 1 h; half of
 * it up to the whole, so that what parked together does not come back together. The same event and count: the same pause.
 */
export function parkedDelayMs(eventId: string, failures: number): number {
	const whole = Math.min(FIRST_PARKED_MS * 2 ** (failures - 1), MAX_PARKED_MS);
	const share = Number.parseInt(hashFields([eventId, String(failures)]).slice(0, 8), 16) / 2 ** 32;
	return Math.round((whole * (1 + share)) / 2);
}

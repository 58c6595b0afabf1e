// When a kill comes, for the clauses that cut work short: at moments spread over the time that such work took before.

import { pause } from "./pause.js";

/** A turn of the event loop: what waits for a disk or a socket may go on meanwhile. */
export const turn = (): Promise<void> =>
	new Promise((resolve) => {
		// Browsers have no other.
		if (globalThis.setImmediate === undefined) setTimeout(resolve, 0);
		else setImmediate(resolve);
	});

/** Several turns of the event loop. */
export async function turns(count: number): Promise<void> {
	for (let passed = 0; passed < count; passed += 1) await turn();
}

/** Milliseconds until `work`, which never rejects, is over. */
export async function durationOf(work: Promise<unknown>): Promise<number> {
	const begunMs = performance.now();
	await work;
	return performance.now() - begunMs;
}

/**
 * Waits for `delayMs`, below a millisecond too, or until `work`, which never rejects, is over. Resolves with the
 * milliseconds that passed.
 */
export async function waitDuring(work: Promise<unknown>, delayMs: number): Promise<number> {
	const begunMs = performance.now();
	let isOver = false;
	const ended = work.then(() => {
		isOver = true;
	});
	let passedMs = 0;
	while (!isOver && passedMs < delayMs) {
		const leftMs = Math.floor(delayMs - passedMs);
		await (leftMs > 0 ? Promise.race([ended, pause(leftMs)]) : turn());
		passedMs = performance.now() - begunMs;
	}
	return passedMs;
}

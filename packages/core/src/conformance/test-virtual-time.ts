// For tests of suites that wait: time that passes as soon as nothing else is to be done. Nobody is late because the machine
// is busy, and nobody waits.

import { afterEach, beforeEach, vi } from "vitest";

/**
 * In each test of a file `setTimeout`, `clearTimeout` and `performance.now` go by such a time: for what works with promises
 * and timers alone.
 */
export function passTimeAtOnce(): void {
	let stop: () => void = () => undefined;
	beforeEach(() => {
		stop = startTime();
	});
	afterEach(() => stop());
}

interface Timer {
	/** In milliseconds of this time. */
	readonly at: number;
	ring(): void;
}

function startTime(): () => void {
	const timers = new Map<number, Timer>();
	let now = 0;
	let lastId = 0;
	let tick: NodeJS.Immediate | undefined;
	/** Whatever promises had to do is done by the next immediate. */
	const passOn = (): void => {
		tick ??= setImmediate(() => {
			tick = undefined;
			ringNext();
			if (timers.size > 0) passOn();
		});
	};
	const ringNext = (): void => {
		// Of those that ring at one time the first that was set.
		const [next] = [...timers].sort(([, a], [, b]) => a.at - b.at);
		if (next === undefined) return;
		const [id, timer] = next;
		timers.delete(id);
		now = timer.at;
		timer.ring();
	};
	vi.stubGlobal("setTimeout", (ring: () => void, delayMs = 0): number => {
		lastId += 1;
		// As Node.js: no delay is shorter. Else who polls would never let time pass.
		timers.set(lastId, { at: now + Math.max(1, delayMs), ring });
		passOn();
		return lastId;
	});
	vi.stubGlobal("clearTimeout", (id: number | undefined): void => {
		if (id !== undefined) timers.delete(id);
	});
	vi.stubGlobal("performance", { now: () => now });
	return () => {
		clearImmediate(tick);
		vi.unstubAllGlobals();
	};
}

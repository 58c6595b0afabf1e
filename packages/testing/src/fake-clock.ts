// Time that a test moves by hand: nothing waits in real time, and nothing depends on how fast the machine is.

import type { Clock } from "@reelkeep/core/ports";

export interface FakeClock extends Clock {
	/**
	 * Moves time on by `ms`, waking sleepers in the order of their time; what they then start may sleep and wake too. Each
	 * gets a few turns of the event loop, not the time that a socket, a disk or a cipher takes: wait first for what is to be
	 * asleep by then (`faults.whenMet()`, `reelkeep.until(…)`, an answer), and then move on. Moves that overlap come one after
	 * the other: one that a woken sleeper asks for begins when that which woke it is over.
	 */
	advance(ms: number): Promise<void>;
	/** How many are asleep: a poll of Reelkeep's own, each pause, each time-out of a call under way. */
	readonly sleepers: number;
}

/** 2025-01-01T00:00:00Z: any fixed time will do. */
const START = Date.UTC(2025, 0, 1);
/** Woken code runs on for so many turns of the event loop before time goes on. */
const TURNS = 3;

/**
 * Makes a clock that stands still at `startAt` until it is advanced: for pauses, backoffs, deadlines and links that expire.
 * *Units*: UTC milliseconds. Default: the beginning of 2025.
 */
export function createFakeClock(startAt: number = START): FakeClock {
	const sleepers = new Set<{ readonly wakeAt: number; readonly wake: () => void }>();
	let now = startAt;
	let moving = Promise.resolve();

	const nextBy = (time: number) =>
		[...sleepers].filter(({ wakeAt }) => wakeAt <= time).sort((a, b) => a.wakeAt - b.wakeAt)[0];

	const move = async (ms: number): Promise<void> => {
		const until = now + ms;
		await turns();
		for (let sleeper = nextBy(until); sleeper !== undefined; sleeper = nextBy(until)) {
			now = Math.max(now, sleeper.wakeAt);
			sleeper.wake();
			await turns();
		}
		now = until;
	};

	return {
		now: () => now,
		sleep: (delayMs, signal) =>
			new Promise((resolve) => {
				if (signal?.aborted) return resolve();
				const wake = (): void => {
					sleepers.delete(sleeper);
					signal?.removeEventListener("abort", wake);
					resolve();
				};
				const sleeper = { wakeAt: now + Math.max(0, delayMs), wake };
				sleepers.add(sleeper);
				signal?.addEventListener("abort", wake, { once: true });
			}),
		advance(ms) {
			moving = moving.then(() => move(ms));
			return moving;
		},
		get sleepers() {
			return sleepers.size;
		},
	};
}

async function turns(): Promise<void> {
	for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

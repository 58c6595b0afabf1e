// Bounds how long a caller waits, at one timer for all that began in the same millisecond.

import type { Clock } from "./ports/runtime.js";

/** What timers can wait for, almost 25 days: one that is to wait longer does not wait at all. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** *Shape*: resolves with what `work` comes to, or with `late` when that takes too long; `work` goes on. It must not reject. */
export type WithinLimit = <Result>(work: Promise<Result>, late: Result) => Promise<Result>;

interface Group {
	readonly startedAt: number;
	readonly waiting: Set<() => void>;
	readonly timer: AbortController;
}

/** *Units*: milliseconds. */
export function createTimeLimit(clock: Clock, limitMs: number): WithinLimit {
	let newest: Group | undefined;

	const groupOf = (startedAt: number): Group => {
		if (newest?.startedAt === startedAt && !newest.timer.signal.aborted) return newest;
		const group: Group = { startedAt, waiting: new Set(), timer: new AbortController() };
		newest = group;
		void clock.sleep(limitMs, group.timer.signal).then(() => {
			if (newest === group) newest = undefined;
			for (const expire of group.waiting) expire();
		});
		return group;
	};

	return (work, late) =>
		new Promise((resolve) => {
			const { waiting, timer } = groupOf(clock.now());
			const expire = (): void => resolve(late);
			waiting.add(expire);
			void work.then((result) => {
				resolve(result);
				waiting.delete(expire);
				// With a reason of our own no DOMException is made: they cost 3 % of a callback.
				if (waiting.size === 0) timer.abort("answered");
			});
		});
}

// How far a subscription or a projection has come, for those who wait until it has come so far.

import type { Position } from "./ports/event-store.js";
import { comparePositions } from "./ports/position.js";

/** How far a reader of the log has come, and who waits for that. */
export interface Progress {
	reach(position: Position | undefined): void;
	reached(position: Position): Promise<void>;
	/** Whether somebody waits for `position`, or for one before it. */
	isAwaited(position: Position): boolean;
}

export function createProgress(): Progress {
	let reachedPosition: Position | undefined;
	let waiters: readonly { readonly position: Position; readonly wake: () => void }[] = [];
	const isBehind = (position: Position): boolean =>
		reachedPosition === undefined || comparePositions(reachedPosition, position) < 0;
	return {
		reach(position) {
			reachedPosition = position;
			if (waiters.length === 0) return;
			for (const { position, wake } of waiters) if (!isBehind(position)) wake();
			waiters = waiters.filter(({ position }) => isBehind(position));
		},
		isAwaited: (position) => waiters.some((waiter) => comparePositions(waiter.position, position) <= 0),
		reached: (position) =>
			new Promise((resolve) => {
				if (!isBehind(position)) return resolve();
				waiters = [...waiters, { position, wake: resolve }];
			}),
	};
}

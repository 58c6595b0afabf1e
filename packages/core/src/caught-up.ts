// Waiting until a subscription or a projection has come to where the log ends now.

import { lastPosition } from "./follow.js";
import { outwait, type Waiting } from "./outwait.js";
import type { EventStore } from "./ports/event-store.js";
import type { Progress } from "./progress.js";

export interface Follower {
	readonly store: EventStore;
	readonly progress: Progress;
	/** Its signal aborts when the follower is stopped, or cannot go on. */
	readonly waiting: Waiting;
	readonly ended: Promise<void>;
}

/**
 * Resolves when every event that is in the log now is behind it, or once it has ended; a fault that passes is waited out.
 * *Errors*: rejects as `ended`, and with a `StoreFault` that will not pass.
 */
export async function whenCaughtUp({ store, progress, waiting, ended }: Follower): Promise<void> {
	const { signal } = waiting;
	// Its store may be closed by now.
	if (signal.aborted) return ended;
	const reached = async (): Promise<void> => {
		try {
			const last = await outwait(waiting, () => lastPosition(store));
			if (last !== undefined) await progress.reached(last);
		} catch (error) {
			if (!signal.aborted) throw error;
			await ended;
		}
	};
	await Promise.race([reached(), ended]);
}

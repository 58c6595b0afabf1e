// The listeners of `onAppended`.

import type { Logger } from "@reelkeep/core/ports";

export interface Hints {
	add(hint: () => void): () => void;
	/** Calls every listener; one that throws is logged and stops nobody. */
	give(): void;
}

export function createHints(logger: Logger | undefined): Hints {
	// An entry of its own for each call: the same function may be added twice, and is removed once at a time.
	const entries = new Set<{ readonly hint: () => void }>();
	return {
		add(hint) {
			const entry = { hint };
			entries.add(entry);
			return () => void entries.delete(entry);
		},
		give() {
			for (const { hint } of entries) {
				try {
					hint();
				} catch (error) {
					logger?.error({ err: error }, "a listener of onAppended threw");
				}
			}
		},
	};
}

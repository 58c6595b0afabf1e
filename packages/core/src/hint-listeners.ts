// The listeners of a store's `onAppended`.

export interface HintListeners {
	add(hint: () => void): () => void;
	/** Calls every listener; one that throws stops nobody. */
	give(): void;
}

/** `onError`: told what a listener threw; does not throw. */
export function createHintListeners(onError: (error: unknown) => void): HintListeners {
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
					onError(error);
				}
			}
		},
	};
}

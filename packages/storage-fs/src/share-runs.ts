// Lets many callers share runs of one piece of work that must not overlap itself.

/**
 * Wraps `run`: one at a time. Calls that come while one runs share the next run, because what they wait for may have
 * happened after the present one looked.
 */
export function shareRuns(run: () => Promise<void>): () => Promise<void> {
	let current: Promise<void> | undefined;
	let next: Promise<void> | undefined;
	const start = (): Promise<void> => {
		current = run().finally(() => {
			current = undefined;
		});
		return current;
	};
	return () => {
		if (next !== undefined) return next;
		if (current === undefined) return start();
		next = current
			.catch(() => {})
			.then(() => {
				next = undefined;
				return start();
			});
		return next;
	};
}

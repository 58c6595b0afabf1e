// Work on things that have a name: one at a time for each name, in this process.

export interface Turns {
	/** Does `work` once what was asked for under `name` before is over. *Errors*: rejects as `work` does. */
	take<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
	/** Resolves when all that was taken so far is over. Never rejects. */
	settled(): Promise<void>;
}

export function createTurns(): Turns {
	const lastByName = new Map<string, Promise<unknown>>();
	return {
		async take(name, work) {
			const turn = (lastByName.get(name) ?? Promise.resolve()).catch(() => {}).then(work);
			lastByName.set(name, turn);
			try {
				return await turn;
			} finally {
				if (lastByName.get(name) === turn) lastByName.delete(name);
			}
		},
		async settled() {
			await Promise.allSettled(lastByName.values());
		},
	};
}

// The calls that are being served, so that a stop can wait for them.

export interface OpenCalls {
	/** Takes note of a call; returns what is called at its end. */
	begin(): () => void;
	/** Resolves when none is open. */
	idle(): Promise<void>;
}

export function createOpenCalls(): OpenCalls {
	let open = 0;
	let waiting: (() => void)[] = [];
	return {
		begin() {
			open += 1;
			return () => {
				open -= 1;
				if (open > 0) return;
				for (const wake of waiting) wake();
				waiting = [];
			};
		},
		idle: () =>
			open === 0
				? Promise.resolve()
				: new Promise((resolve) => {
						waiting.push(resolve);
					}),
	};
}

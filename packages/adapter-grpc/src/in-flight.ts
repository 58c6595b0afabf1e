// How many reports are being stored at once, of each connection and of all.

export interface InFlight {
	/** Takes a place for a report of `peer`; returns what gives it back, `undefined` when there is none. */
	begin(peer: string): (() => void) | undefined;
	/** Resolves when none is left. */
	idle(): Promise<void>;
}

export function createInFlight(limits: {
	readonly maxInFlight: number;
	readonly maxInFlightPerConnection: number;
}): InFlight {
	const ofPeer = new Map<string, number>();
	let all = 0;
	let waiting: (() => void)[] = [];
	return {
		begin(peer) {
			const own = ofPeer.get(peer) ?? 0;
			if (all >= limits.maxInFlight || own >= limits.maxInFlightPerConnection) return undefined;
			all += 1;
			ofPeer.set(peer, own + 1);
			return () => {
				all -= 1;
				const left = (ofPeer.get(peer) ?? 1) - 1;
				if (left === 0) ofPeer.delete(peer);
				else ofPeer.set(peer, left);
				if (all > 0) return;
				for (const wake of waiting) wake();
				waiting = [];
			};
		},
		idle: () =>
			all === 0
				? Promise.resolve()
				: new Promise((resolve) => {
						waiting.push(resolve);
					}),
	};
}

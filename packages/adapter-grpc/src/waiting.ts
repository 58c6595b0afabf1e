// Calls whose request, or whose next one, is still to come.

/** How to end each of the calls that wait, by connection; who waits longest first. */
export interface Waiting {
	enter(peer: string, giveUp: () => void): void;
	/** Harmless for one who does not wait. */
	leave(peer: string, giveUp: () => void): void;
	giveUpAll(): void;
}

/** Past `max`, the one that has waited longest on the connection with the most is given up: nobody because of others. */
export function createWaiting(max: number): Waiting {
	const ofPeer = new Map<string, Set<() => void>>();
	let all = 0;
	return {
		enter(peer, giveUp) {
			const own = ofPeer.get(peer) ?? new Set();
			ofPeer.set(peer, own.add(giveUp));
			all += 1;
			if (all <= max) return;
			const [most] = [...ofPeer.values()].sort((a, b) => b.size - a.size);
			const [longest] = most ?? [];
			longest?.();
		},
		leave(peer, giveUp) {
			const own = ofPeer.get(peer);
			if (!own?.delete(giveUp)) return;
			all -= 1;
			if (own.size === 0) ofPeer.delete(peer);
		},
		giveUpAll() {
			for (const own of [...ofPeer.values()]) for (const giveUp of [...own]) giveUp();
		},
	};
}

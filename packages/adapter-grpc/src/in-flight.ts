// How many reports are being stored at once, of each connection and of all.

/** Takes a place for a report of `peer`; returns what gives it back, `undefined` when there is none. */
export type TakePlace = (peer: string) => (() => void) | undefined;

export function createInFlight(limits: {
	readonly maxInFlight: number;
	readonly maxInFlightPerConnection: number;
}): TakePlace {
	const ofPeer = new Map<string, number>();
	let all = 0;
	return (peer) => {
		const own = ofPeer.get(peer) ?? 0;
		if (all >= limits.maxInFlight || own >= limits.maxInFlightPerConnection) return undefined;
		all += 1;
		ofPeer.set(peer, own + 1);
		return () => {
			all -= 1;
			const left = (ofPeer.get(peer) ?? 1) - 1;
			if (left === 0) ofPeer.delete(peer);
			else ofPeer.set(peer, left);
		};
	};
}

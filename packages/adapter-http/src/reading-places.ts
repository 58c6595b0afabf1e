// How many bodies are read at once: a new one is never refused for the sake of slow ones.

/** Takes a place for a body that `giveUp` ends as too slow; returns what leaves it. */
export type TakePlace = (giveUp: () => void) => () => void;

/** Past `maxReading` the body that began first gives its place up. */
export function createReadingPlaces(maxReading: number): TakePlace {
	/** In the order in which they began. */
	const reading = new Set<() => void>();
	return (giveUp) => {
		reading.add(giveUp);
		const [oldest] = reading;
		if (reading.size > maxReading) oldest?.();
		return () => reading.delete(giveUp);
	};
}

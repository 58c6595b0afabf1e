// Chance, all of it from one seed: the same seed makes the same run.

export interface Random {
	/** A whole number from 0 to `limit - 1`. */
	below(limit: number): number;
	/** A whole number, both ends included. */
	between(from: number, to: number): number;
	chance(probability: number): boolean;
	/** Throws a `RangeError` when `list` is empty. */
	pick<T>(list: readonly T[]): T;
	/** In an order of its own; `list` stays as it is. */
	shuffle<T>(list: readonly T[]): T[];
	/** Chance of its own for another part, so that one part's draws do not move another's. */
	fork(): Random;
}

const RANGE = 2 ** 32;

export function createRandom(seed: number): Random {
	const next = mulberry32(seed);
	const random: Random = {
		below: (limit) => Math.floor((next() / RANGE) * limit),
		between: (from, to) => from + random.below(to - from + 1),
		chance: (probability) => next() < probability * RANGE,
		pick(list) {
			const at = random.below(list.length);
			for (const found of list.slice(at, at + 1)) return found;
			throw new RangeError("nothing to pick from");
		},
		shuffle(list) {
			const left = [...list];
			const shuffled: typeof left = [];
			while (left.length > 0) shuffled.push(...left.splice(random.below(left.length), 1));
			return shuffled;
		},
		fork: () => createRandom(next()),
	};
	// Seeds that stand side by side begin alike.
	for (let skipped = 0; skipped < 4; skipped += 1) next();
	return random;
}

/** Tommy Ettinger's generator: 32 bits of state, 32 bits a step. */
function mulberry32(seed: number): () => number {
	let state = Math.imul(seed, 0x9e3779b1) | 0;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return (mixed ^ (mixed >>> 14)) >>> 0;
	};
}

// Numbers that look random and are the same for the same seed, so that what they found is found again.

export interface Draw {
	/** A whole number from 0 to `below - 1`. */
	int(below: number): number;
	/** Throws when `list` is empty. */
	pick<T>(list: readonly T[]): T;
	/** True once in `times`. */
	once(times: number): boolean;
	bytes(length: number): Buffer;
}

/** The draws of request `index` of a run: they depend on nothing else. */
export function createDraw(seed: number, index: number): Draw {
	const next = mulberry32(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
	const int = (below: number): number => Math.floor((next() / 2 ** 32) * below);
	return {
		int,
		pick(list) {
			if (list.length === 0) throw new RangeError("nothing to pick from");
			return list[int(list.length)] as (typeof list)[number];
		},
		once: (times) => int(times) === 0,
		bytes: (length) => Buffer.from(Array.from({ length }, () => int(256))),
	};
}

/** Tommy Ettinger's generator: 32 bits of state, 32 bits a step. */
function mulberry32(seed: number): () => number {
	let state = seed | 0;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return (mixed ^ (mixed >>> 14)) >>> 0;
	};
}

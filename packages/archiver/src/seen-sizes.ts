// How large videos are, from the last that were seen: what is assumed of those that nobody has asked for yet.

const REMEMBERED = 512;

export interface SeenSizes {
	add(bytes: number): void;
	/**
	 * An assumption for the `index`-th video of unknown size: one of the sizes that were seen, each as often as it was, so
	 * that many assumptions are spread as the videos are. 0: none was seen yet.
	 */
	assume(index: number): number;
}

export function createSeenSizes(): SeenSizes {
	const sizes: number[] = [];
	let next = 0;
	return {
		add(bytes) {
			sizes[next] = bytes;
			next = (next + 1) % REMEMBERED;
		},
		assume: (index) => sizes[index % sizes.length] ?? 0,
	};
}

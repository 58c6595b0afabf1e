// A body that arrives in pieces, counted while it does.

export interface ByteCollector {
	/** Takes one more piece; false: it does not fit any more, and nothing was kept of it. */
	add(chunk: Uint8Array): boolean;
	/** What has come so far. */
	bytes(): Uint8Array;
}

/**
 * Holds at most `maxBytes`, in one growing buffer: a list of pieces costs a hundred times its bytes when a sender makes
 * each piece one byte long.
 */
export function createByteCollector(maxBytes: number): ByteCollector {
	let held: Uint8Array = new Uint8Array();
	let length = 0;
	return {
		add(chunk) {
			const needed = length + chunk.length;
			if (needed > maxBytes) return false;
			if (length === 0) held = chunk;
			else {
				held = roomFor(needed, held, maxBytes);
				held.set(chunk, length);
			}
			length = needed;
			return true;
		},
		bytes: () => held.subarray(0, length),
	};
}

/** The same bytes with room for `needed`, doubled up to the limit. */
function roomFor(needed: number, held: Uint8Array, maxBytes: number): Uint8Array {
	if (needed <= held.length) return held;
	const roomy = new Uint8Array(Math.min(2 * needed, maxBytes));
	roomy.set(held);
	return roomy;
}

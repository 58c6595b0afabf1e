// Which event of each stream is its last: an open-addressing hash table in typed arrays, cut into shards that grow one by
// one, so that growing never stops the process for long.
//
// Memory: 11 to 22 bytes a stream, whatever its name is.

import { fingerprintOf, type StreamHash, shardOf } from "./stream-hash.js";

const SHARDS = 256;
const FIRST_BITS = 4;

/** Slots of two words: fingerprint, and the position of the stream's last event; 0 there: the slot is free. */
interface Shard {
	slots: Uint32Array;
	bits: number;
	used: number;
}

const NONE: readonly number[] = [];

export class StreamTable {
	readonly #shards: Shard[] = Array.from({ length: SHARDS }, () => ({
		slots: new Uint32Array(2 << FIRST_BITS),
		bits: FIRST_BITS,
		used: 0,
	}));
	#streams = 0;

	get streams(): number {
		return this.#streams;
	}

	get bytes(): number {
		return this.#shards.reduce((sum, { slots }) => sum + slots.byteLength, 0);
	}

	/** The last events of all streams with this hash: none or one, but for collisions. */
	candidates(hash: StreamHash): readonly number[] {
		const { slots, bits } = this.#shardOf(hash);
		const fingerprint = fingerprintOf(hash);
		let found = NONE;
		for (let at = firstSlot(fingerprint, bits); slots[at + 1] !== 0; at = nextSlot(at, slots)) {
			if (slots[at] === fingerprint) found = [...found, slots[at + 1] as number];
		}
		return found;
	}

	/** Notes that the stream whose last event was `previous` (0: a new stream) now ends with `position`. */
	set(hash: StreamHash, previous: number, position: number): void {
		const shard = this.#shardOf(hash);
		const fingerprint = fingerprintOf(hash);
		if (previous !== 0) {
			const { slots, bits } = shard;
			for (let at = firstSlot(fingerprint, bits); slots[at + 1] !== 0; at = nextSlot(at, slots)) {
				if (slots[at] !== fingerprint || slots[at + 1] !== previous) continue;
				slots[at + 1] = position;
				return;
			}
		}
		if ((shard.used + 1) * 4 > (1 << shard.bits) * 3) grow(shard);
		insert(shard, fingerprint, position);
		this.#streams += 1;
	}

	#shardOf(hash: StreamHash): Shard {
		return this.#shards[shardOf(hash)] as Shard;
	}
}

/** The upper bits: the lower half of a larger table's slots is where the smaller one's were, so entries keep their order. */
function firstSlot(fingerprint: number, bits: number): number {
	return (fingerprint >>> (32 - bits)) * 2;
}

function nextSlot(at: number, slots: Uint32Array): number {
	return at + 2 === slots.length ? 0 : at + 2;
}

function insert(shard: Shard, fingerprint: number, position: number): void {
	const { slots, bits } = shard;
	let at = firstSlot(fingerprint, bits);
	while (slots[at + 1] !== 0) at = nextSlot(at, slots);
	slots[at] = fingerprint;
	slots[at + 1] = position;
	shard.used += 1;
}

function grow(shard: Shard): void {
	const { slots } = shard;
	shard.bits += 1;
	shard.slots = new Uint32Array(2 << shard.bits);
	shard.used = 0;
	for (let at = 0; at < slots.length; at += 2) {
		if (slots[at + 1] !== 0) insert(shard, slots[at] as number, slots[at + 1] as number);
	}
}

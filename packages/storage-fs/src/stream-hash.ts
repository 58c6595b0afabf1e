// The keyed hash by which streams are found: HalfSipHash-2-4 with 64 bits, of which the index uses 40. Keyed, so that a
// sender who chooses names cannot choose which of them collide; a collision costs a read, never an event, because
// whoever finds a stream by its hash compares the name that is stored.

/** 40 bits: 8 for the shard of the table, 32 for the fingerprint in it. */
export type StreamHash = number;

export const HASH_KEY_BYTES = 8;
const TWO_TO_32 = 0x1_0000_0000;

export interface StreamHasher {
	/** 16 hex digits. */
	readonly key: string;
	/** *Shape*: `name` is ASCII. */
	hash(name: string): StreamHash;
}

/** *Shape*: `key` is 16 hex digits. */
export function createStreamHasher(key: string): StreamHasher {
	if (!/^[0-9a-f]{16}$/.test(key)) throw new RangeError("a hash key has 16 hex digits");
	const bytes = Buffer.from(key, "hex");
	const k0 = bytes.readInt32LE(0);
	const k1 = bytes.readInt32LE(4);
	return { key, hash: (name) => fold(halfSipHash(k0, k1, name)) };
}

export function shardOf(hash: StreamHash): number {
	return Math.floor(hash / TWO_TO_32);
}

export function fingerprintOf(hash: StreamHash): number {
	return hash >>> 0;
}

export function joinHash(shard: number, fingerprint: number): StreamHash {
	return shard * TWO_TO_32 + fingerprint;
}

function fold({ low, high }: Digest): StreamHash {
	return joinHash(high & 0xff, low >>> 0);
}

export interface Digest {
	readonly low: number;
	readonly high: number;
}

/** HalfSipHash-2-4-64 by Aumasson and Bernstein, of a name's characters as bytes. */
export function halfSipHash(k0: number, k1: number, name: string): Digest {
	let v0 = k0;
	let v1 = k1 ^ 0xee;
	let v2 = 0x6c796765 ^ k0;
	let v3 = 0x74656462 ^ k1;
	let low = 0;
	const words = (name.length >>> 2) + 1;
	// Each word is mixed in by two rounds; then come twice four more. One loop, because it is run for every event.
	for (let step = 0; step < words + 2; step += 1) {
		const word = step < words ? wordAt(name, step * 4) : 0;
		if (step === words) v2 ^= 0xee;
		if (step > words) {
			low = v1 ^ v3;
			v1 ^= 0xdd;
		}
		v3 ^= word;
		for (let rounds = step < words ? 2 : 4; rounds > 0; rounds -= 1) {
			v0 = (v0 + v1) | 0;
			v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
			v0 = (v0 << 16) | (v0 >>> 16);
			v2 = (v2 + v3) | 0;
			v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
			v0 = (v0 + v3) | 0;
			v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
			v2 = (v2 + v1) | 0;
			v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
			v2 = (v2 << 16) | (v2 >>> 16);
		}
		v0 ^= word;
	}
	return { low, high: v1 ^ v3 };
}

/** Four characters from `from` on; the last word has what is left, and the length. */
function wordAt(name: string, from: number): number {
	const left = name.length - from;
	if (left >= 4) {
		return (
			name.charCodeAt(from) |
			(name.charCodeAt(from + 1) << 8) |
			(name.charCodeAt(from + 2) << 16) |
			(name.charCodeAt(from + 3) << 24)
		);
	}
	let word = name.length << 24;
	for (let at = 0; at < left; at += 1) word |= name.charCodeAt(from + at) << (8 * at);
	return word;
}

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createStreamHasher, fingerprintOf, halfSipHash, joinHash, shardOf } from "./stream-hash.js";

/** The key of the official vectors: bytes 00 to 07. */
const KEY = "0001020304050607";

/** The 8 bytes of a digest as the official vectors have them. */
function digest(name: string): string {
	const key = Buffer.from(KEY, "hex");
	const { low, high } = halfSipHash(key.readInt32LE(0), key.readInt32LE(4), name);
	const bytes = Buffer.alloc(8);
	bytes.writeInt32LE(low, 0);
	bytes.writeInt32LE(high, 4);
	return bytes.toString("hex");
}

const key = fc.stringMatching(/^[0-9a-f]{16}$/);
const name = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 128 });

describe("a hash key", () => {
	test("of another length, or that is none at all, is refused", () => {
		for (const wrong of [
			"",
			"00",
			KEY.slice(1),
			KEY.slice(2),
			`${KEY}00`,
			"recordings",
			`${KEY.slice(1)}g`,
		]) {
			expect(() => createStreamHasher(wrong)).toThrow(RangeError);
		}
	});

	test("is kept as it was given", () => {
		expect(createStreamHasher(KEY).key).toBe(KEY);
	});
});

test("the hash is HalfSipHash-2-4-64, by its official vectors", () => {
	const input = "\0\x01\x02\x03";
	expect(digest("")).toBe("218d1f59b9b83cc8");
	expect(digest(input.slice(0, 1))).toBe("be552412f8387315");
	expect(digest(input.slice(0, 2))).toBe("064f39ef7c50eb57");
	expect(digest(input.slice(0, 3))).toBe("ce0f1a45f7060679");
	expect(digest(input)).toBe("d5e78a175be52ea1");
	expect(digest(`recording-${"a".repeat(64)}`)).toBe("169230bf640728b9");
	// All 64 of them, of the lengths 0 to 63, by their SHA-256.
	const all = Array.from({ length: 64 }, (_, length) => digest(String.fromCharCode(...Array(length).keys())));
	expect(createHash("sha256").update(all.join(""), "hex").digest("hex")).toBe(
		"5b74ba53aad5fd08f43d4cd5e7c5320d8bcd463497d657ac659340c51fa7ed9b",
	);
});

test("a name's hash is 40 bits of its digest, in the order of the key's bytes", () => {
	// 169230bf 640728b9, little-endian: the lower word whole, of the upper one the lowest byte.
	const hash = createStreamHasher(KEY).hash(`recording-${"a".repeat(64)}`);
	expect([shardOf(hash), fingerprintOf(hash)]).toEqual([0x64, 0xbf309216]);
});

test("another key gives other hashes", () => {
	fc.assert(
		fc.property(key, key, fc.array(name, { minLength: 8, maxLength: 8 }), (one, other, names) => {
			fc.pre(one !== other);
			const hashesOf = (hashKey: string) => names.map((each) => createStreamHasher(hashKey).hash(each));
			expect(hashesOf(one)).not.toEqual(hashesOf(other));
			expect(hashesOf(one)).toEqual(hashesOf(one));
		}),
	);
});

test("names that differ little have hashes that differ, over all shards", () => {
	const hasher = createStreamHasher(KEY);
	const hashes = Array.from({ length: 20_000 }, (_, at) => hasher.hash(`recording-${at}`));
	expect(new Set(hashes).size).toBe(hashes.length);
	const shards = new Array<number>(256).fill(0);
	for (const hash of hashes) shards[shardOf(hash)] = (shards[shardOf(hash)] as number) + 1;
	// 78 each on average; far outside of this, they would not be spread evenly.
	expect(Math.min(...shards)).toBeGreaterThan(35);
	expect(Math.max(...shards)).toBeLessThan(130);
});

test("a hash comes apart into shard and fingerprint, and together again", () => {
	fc.assert(
		fc.property(fc.nat({ max: 255 }), fc.nat({ max: 0xffff_ffff }), (shard, fingerprint) => {
			const hash = joinHash(shard, fingerprint);
			expect([shardOf(hash), fingerprintOf(hash)]).toEqual([shard, fingerprint]);
			expect(Number.isSafeInteger(hash)).toBe(true);
		}),
	);
	fc.assert(
		fc.property(key, name, (hashKey, each) => {
			const hash = createStreamHasher(hashKey).hash(each);
			expect(joinHash(shardOf(hash), fingerprintOf(hash))).toBe(hash);
			expect(shardOf(hash)).toBeLessThan(256);
		}),
	);
});

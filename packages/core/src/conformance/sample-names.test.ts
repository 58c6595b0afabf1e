import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { COLLIDING_NAMES, SIMILAR_NAMES, similarTexts } from "./sample-names.js";
import { fnv1a } from "./test-flawed-stores.js";

const multiplying = (seed: number, factor: number) => (name: string) =>
	Array.from(name).reduce((hash, character) => (Math.imul(hash, factor) + character.charCodeAt(0)) | 0, seed);

const hashes: Record<keyof typeof COLLIDING_NAMES, (name: string) => number> = {
	"fnv-1a": fnv1a,
	djb2: multiplying(5381, 33),
	java: multiplying(0, 31),
	sdbm: multiplying(0, 65_599),
	"crc-32": (name) => crc32(name),
	murmur3,
};

test("names that are said to collide do", () => {
	for (const [hash, [a, b]] of Object.entries(COLLIDING_NAMES)) {
		const hashOf = hashes[hash as keyof typeof COLLIDING_NAMES];
		expect(a).not.toBe(b);
		expect([hash, hashOf(a)]).toEqual([hash, hashOf(b)]);
	}
	expect(murmur3("hello, world")).toBe(0x149bbb7f);
});

test("every similar name is allowed, and there once", () => {
	expect(SIMILAR_NAMES.filter((name) => !/^[\0-\x7f]{1,128}$/.test(name))).toEqual([]);
	expect(new Set(SIMILAR_NAMES).size).toBe(SIMILAR_NAMES.length);
	expect(SIMILAR_NAMES.length).toBeGreaterThan(400);
});

test("every similar text is no longer than it may be, some as long, and there once", () => {
	const texts = similarTexts(256);
	expect(new Set(texts).size).toBe(texts.length);
	expect(Math.max(...texts.map(({ length }) => length))).toBe(256);
	expect(texts.filter(({ length }) => length === 0)).toEqual([]);
	expect(texts).toContain("e\u0301");
});

/** MurmurHash3 x86, 32 bits, seed 0, of ASCII. */
function murmur3(name: string): number {
	const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));
	const scramble = (word: number) => Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
	const word = (from: number, count: number) =>
		Array.from({ length: count }, (_, at) => name.charCodeAt(from + at) << (8 * at)).reduce(
			(a, b) => a | b,
			0,
		);
	const whole = name.length & ~3;
	let hash = 0;
	for (let at = 0; at < whole; at += 4) {
		hash = (Math.imul(rotate(hash ^ scramble(word(at, 4)), 13), 5) + 0xe6546b64) | 0;
	}
	hash ^= scramble(word(whole, name.length - whole)) ^ name.length;
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return (hash ^ (hash >>> 16)) >>> 0;
}

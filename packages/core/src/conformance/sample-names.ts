// Names of streams that a store could take for one another.

import { MAX_STREAM_NAME_CHARACTERS } from "../ports/check-append.js";

/** Two names each that have the same hash: who trusts a hash mixes these streams up. */
export const COLLIDING_NAMES = {
	"fnv-1a": ["stream-dulowz", "stream-xhyr5k"],
	djb2: ["stream-x1raez", "stream-x30ag8"],
	java: ["stream-Aa", "stream-BB"],
	sdbm: ["stream-tz6uw", "stream-ni4b2a"],
	"crc-32": ["stream-6lz5v3", "stream-gbhtnw"],
	murmur3: ["stream-au6ah0", "stream-s03kdg"],
} as const;

const LONGEST = "s".repeat(MAX_STREAM_NAME_CHARACTERS - 1);
const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

const WORDS = [
	["stream-a", "stream-A"],
	["stream", "stream-"],
	["stream-a/", "stream-a/b"],
	["../stream-a", "stream-a.json"],
	["__proto__", "constructor"],
	["undefined", "null"],
	["0", "00"],
	["1", "1.0"],
	["9007199254740992", "9007199254740993"],
	["stream-\\n", "stream-\\u000a"],
	["stream-%0A", "stream-%0a"],
	['stream","version":1', 'stream\\","version":1'],
	["stream stream", "stream  stream"],
] as const;

/**
 * Names that differ in one character, in case, in length, or only for whoever hashes, trims, cuts, escapes or parses
 * them. *Shape*: neighbours are the likeliest to be mixed up; those that collide come first, in pairs.
 */
export const SIMILAR_NAMES: readonly string[] = [
	...new Set([
		...Object.values(COLLIDING_NAMES).flat(),
		...WORDS.flat(),
		...ASCII.map((character) => `stream-${character}`),
		...ASCII,
		...["x", "y"].flatMap((last) => [`${LONGEST}${last}`, `${last}${LONGEST}`]),
		...Array.from(LONGEST, (_, index) => LONGEST.slice(index)),
	]),
];

/** More of the kind, beyond ASCII: what folds case, composes letters, encodes as UTF-8 or names files mixes these up. */
const BEYOND_ASCII = [
	["\u00e9", "e\u0301"],
	["\ud800", "\ufffd"],
	["\udc00", "?"],
	["i", "\u0130"],
	["ss", "\u00df"],
	["\uff41", "a"],
	["游戏", "游戲"],
	["🎮", "🎯"],
	["a\u200b", "\ufeffa"],
	["a\u00a0b", "a b"],
	["../../etc/passwd", "/etc/passwd"],
	[".", ".."],
	["a/b", "a\\b"],
	["a//b", "a/./b"],
	["CON", "con"],
	["a\0b", "a"],
	["a:b", "a*b"],
] as const;

/** Names of any characters, of which `longest` is the length of the longest ones. As above. */
export function similarTexts(longest: number): readonly string[] {
	const long = "游".repeat(longest - 1);
	return [
		...new Set([
			...Object.values(COLLIDING_NAMES).flat(),
			...WORDS.flat(),
			...BEYOND_ASCII.flat(),
			...[" ", "\n", "\0", "x"].map((last) => `stream-a${last}`),
			...["x", "y"].flatMap((last) => [`${long}${last}`, `${last}${long}`]),
			long,
		]),
	];
}

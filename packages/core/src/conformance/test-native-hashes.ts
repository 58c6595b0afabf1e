// For tests that hash gigabytes: what the suites and the memory store use of `@noble/hashes`, by Node.js itself.

import { createHash, type Hash } from "node:crypto";

/** The part of noble's `Hash` that is used. */
interface RunningHash {
	update(bytes: Uint8Array): RunningHash;
	clone(): RunningHash;
	digest(): Uint8Array;
}

function running(hash: Hash): RunningHash {
	const self: RunningHash = {
		update(bytes) {
			hash.update(bytes);
			return self;
		},
		clone: () => running(hash.copy()),
		digest: () => new Uint8Array(hash.digest()),
	};
	return self;
}

function hasher(algorithm: string) {
	const create = (): RunningHash => running(createHash(algorithm));
	return Object.assign((bytes: Uint8Array): Uint8Array => create().update(bytes).digest(), { create });
}

/** For `@noble/hashes/sha2.js`. */
export const sha256 = hasher("sha256");
/** For `@noble/hashes/legacy.js`. */
export const md5 = hasher("md5");

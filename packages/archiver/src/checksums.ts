// The checksums of the whole video that its origin stated, made of the bytes as they come.

import { createHash } from "node:crypto";
import type { OriginChecksums } from "@reelkeep/core/ports";
import { createCRC64 } from "hash-wasm";

export interface Checksums {
	update(chunk: Uint8Array): void;
	/** Of everything so far; those that were asked for. */
	digest(): OriginChecksums;
}

/**
 * Makes the checksums that `stated` has.
 * *Source*: OSS's `x-oss-hash-crc64ecma` is CRC-64/XZ, as an unsigned decimal (ADR 0025).
 */
export async function createChecksums(stated: OriginChecksums): Promise<Checksums> {
	const md5 = stated.md5 === undefined ? undefined : createHash("md5");
	const crc64 = stated.crc64 === undefined ? undefined : await createCRC64();
	crc64?.init();
	return {
		update(chunk) {
			md5?.update(chunk);
			crc64?.update(chunk);
		},
		digest: () => ({
			...(md5 === undefined ? {} : { md5: md5.digest("hex") }),
			...(crc64 === undefined ? {} : { crc64: BigInt(`0x${crc64.digest("hex")}`).toString() }),
		}),
	};
}

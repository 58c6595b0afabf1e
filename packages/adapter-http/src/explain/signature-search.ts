// What a sign was made of, found by trying: texts, schemes and secrets that may have been used. Only tells whether one
// matches; no signature that it computes leaves it.

import type { AppSecret } from "../app-secrets.js";
import { coveredParameters, type SignMethod } from "../signature.js";

/** Of one request: seconds for the longest, and all pairs of a usual one's parameters. */
export const MAX_TRIED_SIGNATURES = 4096;

/** What a sign was made with. */
export interface SignOrigin {
	readonly method: SignMethod;
	readonly secretId: string;
	/** Which of the texts. */
	readonly text: string;
}

/** What may have been signed. */
export interface SignedBytes {
	/** Any of them, as UTF-8. */
	readonly texts: readonly string[];
	/** Behind the text; empty for none. */
	readonly body: Uint8Array;
}

export interface SignatureSearch {
	/** The first scheme and secret under which one of the texts has the sign; `undefined`: none, or the bound is reached. */
	find(signed: SignedBytes, secrets: readonly AppSecret[]): SignOrigin | undefined;
	/** How many signatures were compared; at most `MAX_TRIED_SIGNATURES`. */
	tried(): number;
}

/** *Shape*: `sign` is upper-case hexadecimal; schemes of another length are not tried. */
export function createSignatureSearch(sign: string): SignatureSearch {
	const methods: readonly SignMethod[] = sign.length === 64 ? ["hmac-sha256"] : ["md5", "hmac"];
	let tried = 0;
	const isSignOf = (text: string, body: Uint8Array, method: SignMethod, secret: string): boolean => {
		if (tried >= MAX_TRIED_SIGNATURES) return false;
		tried += 1;
		// One nameless parameter is a text: so the product's own comparison takes it, in constant time.
		const parameters = new Map([["", text]]);
		return coveredParameters({ parameters, body }, method, secret, sign) !== undefined;
	};
	return {
		find({ texts, body }, secrets) {
			for (const { id, secret } of secrets) {
				for (const method of methods) {
					const text = texts.find((one) => isSignOf(one, body, method, secret));
					if (text !== undefined) return { method, secretId: id, text };
				}
			}
			return undefined;
		},
		tried: () => tried,
	};
}

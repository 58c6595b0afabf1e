// Alibaba Cloud's RPC signature 1.0 over a request's parameters: INFERRED to be what its cloud-gaming SPI signs (ADR 0036).
// Pure; nothing here is logged or returned to a sender.

import { createHmac, timingSafeEqual } from "node:crypto";

/** HMAC-SHA1. */
const DIGEST_BYTES = 20;

/**
 * `METHOD&%2F&` and the percent-encoded query of all parameters but `signature`, in the order of their names.
 * *Shape*: names are ASCII (`isOtherName`), so that every order is the same. `undefined` for text that is not Unicode.
 * *Promise*: of two requests with other methods, names or values, no two have the same text: all delimiters are escaped.
 */
export function stringToSign(
	httpMethod: string,
	parameters: ReadonlyMap<string, string>,
): string | undefined {
	try {
		const names = [...parameters.keys()].filter((name) => name !== "signature").sort();
		const pairs = names.map((name) => `${percentEncode(name)}=${percentEncode(parameters.get(name) ?? "")}`);
		return `${httpMethod}&${percentEncode("/")}&${percentEncode(pairs.join("&"))}`;
	} catch {
		return undefined;
	}
}

/** The bytes of a signature's base64; `undefined` unless it is written in the one way that there is. */
export function decodeSignature(signature: string): Buffer | undefined {
	const digest = Buffer.from(signature, "base64");
	return digest.length === DIGEST_BYTES && digest.toString("base64") === signature ? digest : undefined;
}

/** Compares in constant time. *Shape*: `digest` has the 20 bytes that `decodeSignature` gives. */
export function isSignatureOf(digest: Buffer, secret: string, text: string): boolean {
	return timingSafeEqual(createHmac("sha1", `${secret}&`).update(text).digest(), digest);
}

/** RFC 3986: nothing but letters, digits and `-_.~` stays. Throws a `URIError` for a lone surrogate. */
function percentEncode(text: string): string {
	return encodeURIComponent(text).replace(
		/[!'()*]/g,
		(character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
	);
}

// TOP's three signature schemes over one text (docs/top-protocol.md §2). Pure; nothing here is logged or returned
// to a sender.

import { createHmac, hash, timingSafeEqual } from "node:crypto";

export type SignMethod = "md5" | "hmac" | "hmac-sha256";

/** Which parameters are signed: PHP, Python and Node sign empty values, Java and .NET leave blank ones out. */
export type BlankValues = "signed" | "left-out";

export function isSignMethod(text: string): text is SignMethod {
	return text === "md5" || text === "hmac" || text === "hmac-sha256";
}

/** `key1value1key2value2…` of all parameters but `sign`, in ASCII order of the keys, nothing between them. */
export function signedText(parameters: ReadonlyMap<string, string>, blankValues: BlankValues): string {
	let text = "";
	for (const key of [...parameters.keys()].sort()) {
		if (key === "sign") continue;
		const value = parameters.get(key) ?? "";
		if (blankValues === "signed" || !isBlank(value)) text += key + value;
	}
	return text;
}

/** The digest of `text` and a raw body behind it: 16 bytes, or 32 for `hmac-sha256`. */
export function digest(method: SignMethod, secret: string, text: string, body: Uint8Array): Buffer {
	if (method !== "md5") {
		return createHmac(method === "hmac" ? "md5" : "sha256", secret)
			.update(text)
			.update(body)
			.digest();
	}
	if (body.length === 0) return hash("md5", secret + text + secret, "buffer");
	return hash("md5", Buffer.concat([Buffer.from(secret + text), body, Buffer.from(secret)]), "buffer");
}

/**
 * The parameters that `sign` covers under `secret`: all of them, or all but the blank ones; `undefined` when it is the
 * signature of neither.
 * *Shape*: `sign` is any text; what is not upper-case hexadecimal of the method's length covers nothing.
 * *Promise*: compares in constant time over digests of one length, and never throws for what a sender wrote.
 */
export function coveredParameters(
	request: { readonly parameters: ReadonlyMap<string, string>; readonly body: Uint8Array },
	method: SignMethod,
	secret: string,
	sign: string,
): ReadonlyMap<string, string> | undefined {
	const given = decodeSign(sign, method);
	if (given === undefined) return undefined;
	const { parameters, body } = request;
	const isSignOf = (blankValues: BlankValues): boolean =>
		timingSafeEqual(digest(method, secret, signedText(parameters, blankValues), body), given);
	if (isSignOf("signed")) return parameters;
	if (!hasBlankValue(parameters) || !isSignOf("left-out")) return undefined;
	return new Map([...parameters].filter(([, value]) => !isBlank(value)));
}

function decodeSign(sign: string, method: SignMethod): Buffer | undefined {
	const characters = method === "hmac-sha256" ? 64 : 32;
	return sign.length === characters && /^[0-9A-F]+$/.test(sign) ? Buffer.from(sign, "hex") : undefined;
}

function hasBlankValue(parameters: ReadonlyMap<string, string>): boolean {
	for (const value of parameters.values()) if (isBlank(value)) return true;
	return false;
}

/** Java's `areNotEmpty`: white space alone is empty. */
function isBlank(value: string): boolean {
	return value.trim() === "";
}

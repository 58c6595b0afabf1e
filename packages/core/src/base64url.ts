// Base64url by the globals that every runtime has; the core does not reach for Node's Buffer.

/** Bytes as base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
	let binary = "";
	for (const byte of bytes) binary += String.fromCharCode(byte);
	return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of base64url text, or `undefined` when it is none. Bytes have one spelling: no padding, no stray bits. */
export function fromBase64Url(text: string): Uint8Array | undefined {
	if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
	const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
	const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
	return toBase64Url(bytes) === text ? bytes : undefined;
}

/**
 * Seals what must not lie about in clear: links and quarantined bodies. AES-256-GCM with the current key; the sealed
 * text names its key, so that keys can be rotated (ADR 0004).
 */
export interface Keyring {
	/**
	 * Seals UTF-8 text: any string, the empty one too, without lone surrogates.
	 * *Shape*: the result is ASCII, `v1.<key id>.<base64url of nonce, ciphertext and tag>`, without padding; a key's id is
	 * 1 to 64 letters, digits, `-` and `_`.
	 * `context` is authenticated, not kept: `open` needs the same.
	 * *Promise*: the same text is never sealed alike; a seal is opened by every later process that has its key.
	 */
	seal(plaintext: string, context: string): Promise<string>;

	/**
	 * Opens what `seal` made.
	 * *Errors*: rejects with a `KeyringFault`: `unknown-key` when the text names a key that the keyring does not hold;
	 * `damaged` when the text was changed anywhere, is of another shape, or was sealed in another context.
	 */
	open(sealed: string, context: string): Promise<string>;
}

export interface KeyringFault extends Error {
	readonly _tag: "KeyringFault";
	readonly reason: "unknown-key" | "damaged" | "unavailable";
}

class KeyringFaultError extends Error implements KeyringFault {
	readonly _tag = "KeyringFault";
	readonly reason: KeyringFault["reason"];

	constructor(reason: KeyringFault["reason"], message: string) {
		super(message);
		this.name = "KeyringFault";
		this.reason = reason;
	}
}

/** Makes the fault that a keyring rejects with. `message` never holds plaintext or a key. */
export function keyringFault(reason: KeyringFault["reason"], message: string): KeyringFault {
	return new KeyringFaultError(reason, message);
}

export function isKeyringFault(error: unknown): error is KeyringFault {
	return error instanceof Error && (error as { _tag?: unknown })._tag === "KeyringFault";
}

import { concatBytes } from "@noble/hashes/utils.js";
import { fromBase64Url, toBase64Url } from "../base64url.js";
import { type Keyring, keyringFault } from "../ports/keyring.js";

const NONCE_BYTES = 12;
const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Makes a `Keyring` of keys that the caller holds, by Web Crypto; without keys, of one that dies with the process.
 * *Shape*: ids of letters, digits, `-` and `_`; keys of 32 bytes. The key `current` seals, all of them open.
 * *Errors*: throws a `TypeError` for keys of another shape, or when `current` is none of them.
 */
export function createMemoryKeyring(options?: {
	readonly current: string;
	readonly keys: Readonly<Record<string, Uint8Array>>;
}): Keyring {
	const { current, keys } = options ?? { current: "memory", keys: { memory: randomBytes(32) } };
	checkKeys(current, keys);
	const imported = new Map(
		Object.entries(keys).map(([id, key]) => [
			id,
			crypto.subtle.importKey("raw", key.slice(), "AES-GCM", false, ["encrypt", "decrypt"]),
		]),
	);
	return {
		async seal(plaintext, context) {
			const key = await imported.get(current);
			if (key === undefined) throw keyringFault("unknown-key", `the keyring has no key ${current}`);
			const iv = randomBytes(NONCE_BYTES);
			const sealed = await crypto.subtle.encrypt(gcm(iv, context), key, new TextEncoder().encode(plaintext));
			return `v1.${current}.${toBase64Url(concatBytes(iv, new Uint8Array(sealed)))}`;
		},
		async open(sealed, context) {
			const [version, id = "", text = "", ...more] = sealed.split(".");
			const key = await imported.get(id);
			if (version !== "v1" || !KEY_ID.test(id) || text === "" || more.length > 0) {
				throw keyringFault("damaged", "the sealed text is not what was sealed");
			}
			if (key === undefined) {
				throw keyringFault("unknown-key", "the sealed text names a key that the keyring does not hold");
			}
			try {
				const bytes = fromBase64Url(text) ?? new Uint8Array();
				const iv = bytes.subarray(0, NONCE_BYTES);
				const opened = await crypto.subtle.decrypt(gcm(iv, context), key, bytes.subarray(NONCE_BYTES));
				return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(opened);
			} catch {
				throw keyringFault("damaged", "the sealed text was changed, or belongs elsewhere");
			}
		},
	};
}

function checkKeys(current: string, keys: Readonly<Record<string, Uint8Array>>): void {
	for (const [id, key] of Object.entries(keys)) {
		if (!KEY_ID.test(id)) throw new TypeError("a key's id is made of 1 to 64 letters, digits, - and _");
		if (key.length !== KEY_BYTES) throw new TypeError(`the key ${id} must have ${KEY_BYTES} bytes`);
	}
	if (!Object.hasOwn(keys, current)) throw new TypeError(`the keyring has no key ${current} to seal with`);
}

function gcm(iv: Uint8Array, context: string) {
	return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(context) };
}

function randomBytes(length: number): Uint8Array {
	return crypto.getRandomValues(new Uint8Array(length));
}

// For the test of the keyring's suite only: sound keyrings in memory, and keyrings that seal or open wrongly.

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { fromBase64Url, toBase64Url } from "../base64url.js";
import { createMemoryKeyring } from "../memory/keyring.js";
import { isKeyringFault, type Keyring, keyringFault } from "../ports/index.js";
import type { KeyringHarness } from "./keyring.js";
import { pause } from "./pause.js";

export type MakeKeyring = () => Promise<KeyringHarness>;

const keyOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const keyringOf = (current: string, ...bytes: readonly number[]): Keyring =>
	createMemoryKeyring({
		current,
		keys: Object.fromEntries(bytes.map((byte) => [`key-${byte}`, keyOf(byte)])),
	});

/** A keyring whose keys outlive it. `plant` replaces some members of each. */
export function brokenKeyring(
	plant: (keyring: Keyring) => Partial<Keyring> = () => ({}),
	harness: Partial<KeyringHarness> = {},
): MakeKeyring {
	const open = (make: () => Keyring) => async (): Promise<Keyring> => {
		const keyring = make();
		return { ...keyring, ...plant(keyring) };
	};
	return async () => ({
		open: open(() => keyringOf("key-1", 1)),
		openOther: open(() => keyringOf("key-3", 3)),
		reopen: open(() => keyringOf("key-1", 1)),
		rotate: open(() => keyringOf("key-2", 1, 2)),
		dispose: async () => undefined,
		...harness,
	});
}

/** What is broken, and the clauses that fail with it. */
export interface KeyringFlaw {
	readonly breaks: readonly string[];
	readonly make: MakeKeyring;
}

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const keyringFlaws: Record<string, KeyringFlaw> = {
	"a mark at the start of the text is dropped": {
		breaks: ["seal-and-open"],
		make: brokenKeyring((keyring) => ({
			open: async (sealed, context) => (await keyring.open(sealed, context)).replace(/^\ufeff/, ""),
		})),
	},
	"another version is written": {
		breaks: ["shape"],
		make: brokenKeyring((keyring) => ({
			seal: async (text, context) => (await keyring.seal(text, context)).replace("v1.", "w1."),
			open: (sealed, context) => keyring.open(sealed.replace(/^w1\./, "v1."), context),
		})),
	},
	"a text is sealed once and remembered": {
		breaks: ["fresh"],
		make: brokenKeyring((keyring) => {
			const known = new Map<string, Promise<string>>();
			return {
				seal(text, context) {
					const id = JSON.stringify([text, context]);
					const sealed = known.get(id) ?? keyring.seal(text, context);
					known.set(id, sealed);
					return sealed;
				},
			};
		}),
	},
	"texts are signed, not sealed": { breaks: ["hidden"], make: brokenKeyring(signing) },
	"the context is ignored": {
		breaks: ["context"],
		make: brokenKeyring((keyring) => ({
			seal: (text) => keyring.seal(text, ""),
			open: (sealed) => keyring.open(sealed, ""),
		})),
	},
	"case makes no other context": {
		breaks: ["context"],
		make: brokenKeyring((keyring) => ({
			seal: (text, context) => keyring.seal(text, context.toLowerCase()),
			open: (sealed, context) => keyring.open(sealed, context.toLowerCase()),
		})),
	},
	"what stands behind the tag is ignored": {
		breaks: ["tampering"],
		make: brokenKeyring((keyring) => ({
			open: (sealed, context) =>
				keyring.open(sealed, context).catch(() => keyring.open(sealed.replace(/AAAA$/, ""), context)),
		})),
	},
	"padding is let through": {
		breaks: ["tampering"],
		make: brokenKeyring((keyring) => ({
			open: (sealed, context) => keyring.open(sealed.replace(/=$/, ""), context),
		})),
	},
	"what is no sealed text names an unknown key": {
		breaks: ["malformed"],
		make: brokenKeyring((keyring) => ({
			async open(sealed, context) {
				if (!sealed.startsWith("v1.")) throw keyringFault("unknown-key", "no such key");
				return keyring.open(sealed, context);
			},
		})),
	},
	"what is not opened rejects with a plain error": {
		breaks: ["context", "tampering", "malformed", "unknown-key", "rotated"],
		make: brokenKeyring((keyring) => ({
			open: (sealed, context) =>
				keyring.open(sealed, context).catch(() => {
					throw new Error("not opened");
				}),
		})),
	},
	"an unknown key is called damage": {
		breaks: ["unknown-key", "rotated"],
		make: brokenKeyring((keyring) => ({
			open: (sealed, context) =>
				keyring.open(sealed, context).catch(() => {
					throw keyringFault("damaged", "not opened");
				}),
		})),
	},
	"keys are looked up in an object": {
		breaks: ["unknown-key"],
		make: brokenKeyring((keyring) => ({
			async open(sealed, context) {
				if (sealed.startsWith("v1.constructor.")) throw new TypeError("key is not a key");
				return keyring.open(sealed, context);
			},
		})),
	},
	"a fault quotes what was not opened": {
		breaks: ["quiet-faults"],
		make: brokenKeyring((keyring) => ({
			open: (sealed, context) =>
				keyring.open(sealed, context).catch((error: unknown) => {
					throw isKeyringFault(error) ? keyringFault(error.reason, `cannot open ${sealed}`) : error;
				}),
		})),
	},
	"texts that are sealed at the same time are mixed up": {
		breaks: ["at-once"],
		make: brokenKeyring((keyring) => {
			let last = "";
			return {
				async seal(text, context) {
					last = text;
					await pause();
					return keyring.seal(last, context);
				},
			};
		}),
	},
	"keys die with their process": {
		breaks: ["reopened"],
		make: brokenKeyring(() => ({}), { reopen: async () => keyringOf("key-4", 4) }),
	},
	"a rotation drops the old keys": {
		breaks: ["rotated"],
		make: brokenKeyring(() => ({}), { rotate: async () => keyringOf("key-2", 2) }),
	},
	"a rotation goes on sealing with the old key": {
		breaks: ["rotated"],
		make: brokenKeyring(() => ({}), { rotate: async () => keyringOf("key-1", 1, 2) }),
	},
};

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Its text lies in clear between nonce and tag. */
function signing(keyring: Keyring): Keyring {
	const tagOf = (id: string, context: string, body: Uint8Array): Uint8Array =>
		hmac(sha256, bytesOf(id), concatBytes(bytesOf(`${context}|`), body)).subarray(0, TAG_BYTES);
	return {
		async seal(text, context) {
			const [, id = ""] = (await keyring.seal("", "")).split(".");
			const body = concatBytes(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)), bytesOf(text));
			return `v1.${id}.${toBase64Url(concatBytes(body, tagOf(id, context, body)))}`;
		},
		async open(sealed, context) {
			const [, id = "", payload = ""] = /^v1\.([\w-]+)\.([\w-]+)$/.exec(sealed) ?? [];
			// The sound keyring says whether it holds the key; it never opens what was not sealed.
			if (id !== "") await keyring.open(`v1.${id}.AAAA`, context).catch(refuseUnknown);
			const bytes = fromBase64Url(payload) ?? new Uint8Array();
			const body = bytes.subarray(0, -TAG_BYTES);
			if (bytesToHex(tagOf(id, context, body)) !== bytesToHex(bytes.subarray(-TAG_BYTES)))
				throw keyringFault("damaged", "the sealed text was changed");
			return new TextDecoder("utf-8", { ignoreBOM: true }).decode(body.subarray(NONCE_BYTES));
		},
	};
}

function refuseUnknown(error: unknown): void {
	if (isKeyringFault(error) && error.reason === "unknown-key") throw error;
}

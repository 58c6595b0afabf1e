// Seals links and quarantined bodies with AES-256-GCM; the keys lie in one file.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { type Keyring, keyringFault } from "@reelkeep/core/ports";
import type { FileSystem } from "./file-system.js";
import { type KeySet, loadKeys } from "./key-file.js";
import { createNodeFileSystem } from "./node-file-system.js";

/** 96 random bits: safe for 2^32 seals by one key; rotate long before that. */
const NONCE_BYTES = 12;
const NONCES_A_DRAW = 256;
const TAG_BYTES = 16;
const SEALED = /^v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]+)$/;

export interface FileKeyringOptions {
	/** The key file: `{"current":"<id>","keys":{"<id>":"<32 bytes in base64>"}}`. `current` seals, all open. */
	readonly file: string;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
}

export interface FileKeyring extends Keyring {
	/**
	 * Reads the key file; `seal` and `open` do it themselves when nobody has, creating it when it is missing.
	 * `createIfMissing` false refuses instead: for when sealed text exists, which no new key would open.
	 * *Errors*: rejects with a `KeyringFault` `unavailable` that says what to do: the file is missing, malformed, or
	 * readable by others.
	 */
	load(options: { readonly createIfMissing: boolean }): Promise<void>;
}

/** Makes the keyring of a key file. Nothing is read before `load` or the first use; a file is never changed. */
export function createFileKeyring(options: FileKeyringOptions): FileKeyring {
	const file = resolve(options.file);
	const fileSystem = options.fileSystem ?? createNodeFileSystem();
	let loading: Promise<KeySet> | undefined;
	const keys = (createIfMissing: boolean): Promise<KeySet> => {
		loading ??= loadKeys(fileSystem, file, createIfMissing).catch((error) => {
			loading = undefined; // A file that was put right is read by the next call.
			throw error;
		});
		return loading;
	};
	return {
		async load({ createIfMissing }) {
			await keys(createIfMissing);
		},
		seal: async (plaintext, context) => sealText(await keys(true), plaintext, context),
		open: async (sealed, context) => openText(await keys(true), sealed, context),
	};
}

/** Random bytes are drawn for many nonces at once: a draw costs more than a seal's cipher. */
let drawn = Buffer.alloc(0);

function takeNonce(): Buffer {
	if (drawn.length < NONCE_BYTES) drawn = randomBytes(NONCE_BYTES * NONCES_A_DRAW);
	const nonce = drawn.subarray(0, NONCE_BYTES);
	drawn = drawn.subarray(NONCE_BYTES);
	return nonce;
}

function sealText({ current, keys }: KeySet, plaintext: string, context: string): string {
	const nonce = takeNonce();
	const cipher = createCipheriv("aes-256-gcm", keys.get(current) as Buffer, nonce, {
		authTagLength: TAG_BYTES,
	});
	cipher.setAAD(Buffer.from(context));
	const sealed = Buffer.concat([
		nonce,
		cipher.update(plaintext, "utf8"),
		cipher.final(),
		cipher.getAuthTag(),
	]);
	return `v1.${current}.${sealed.toString("base64url")}`;
}

function openText({ keys }: KeySet, sealed: string, context: string): string {
	const parts = SEALED.exec(sealed);
	const bytes = Buffer.from(parts?.[2] ?? "", "base64url");
	// Node also takes text that is not the one encoding of its bytes.
	if (parts === null || bytes.toString("base64url") !== parts[2] || bytes.length < NONCE_BYTES + TAG_BYTES) {
		throw keyringFault("damaged", "the sealed text is not what was sealed");
	}
	const id = parts[1] as string;
	const key = keys.get(id);
	if (key === undefined) {
		throw keyringFault(
			"unknown-key",
			`no key with the id ${id}; put the key that sealed this back into the key file`,
		);
	}
	const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), {
		authTagLength: TAG_BYTES,
	});
	decipher.setAAD(Buffer.from(context));
	decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
	try {
		const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
		return Buffer.concat([text, decipher.final()]).toString("utf8");
	} catch {
		throw keyringFault("damaged", "the sealed text is not what was sealed, or belongs to something else");
	}
}

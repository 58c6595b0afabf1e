// The keys of a data directory, for commands that look into what they have sealed.

import { join } from "node:path";
import type { Keyring } from "@reelkeep/core";
import { createFileKeyring, KEY_FILE_NAME } from "@reelkeep/storage-fs";
import { UsageError } from "./flags.js";

export interface KeysPlaceFlags {
	readonly data?: string;
	readonly keyFile?: string;
}

/**
 * The keys that sealed the log's links and bodies; never made here.
 * *Errors*: throws a `UsageError` when nothing says where they are; rejects with a `KeyringFault`.
 */
export async function openKeyring({ data, keyFile }: KeysPlaceFlags): Promise<Keyring> {
	const file = keyFile ? keyFile : data && join(data, KEY_FILE_NAME);
	if (!file) throw new UsageError("which keys? Give --key-file FILE or REELKEEP_KEY_FILE");
	const keyring = createFileKeyring({ file });
	await keyring.load({ createIfMissing: false });
	return keyring;
}

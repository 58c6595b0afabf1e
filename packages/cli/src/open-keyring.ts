// The keys of a data directory, for commands that look into what they have sealed.

import { join } from "node:path";
import type { Keyring } from "@reelkeep/core";
import { createFileKeyring, KEY_FILE_NAME } from "@reelkeep/storage-fs";

/** The keys that sealed the log's links and bodies; never made here. *Errors*: rejects with a `KeyringFault`. */
export async function openKeyring(directory: string, keyFile: string | undefined): Promise<Keyring> {
	const keyring = createFileKeyring({ file: keyFile ? keyFile : join(directory, KEY_FILE_NAME) });
	await keyring.load({ createIfMissing: false });
	return keyring;
}

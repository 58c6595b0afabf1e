// Checks a store's whole log, beside its running owner or without one.

import { resolve } from "node:path";
import { toFault } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { type InspectOptions, inspectLog, type LogInspection } from "./inspect-log.js";
import { requireLog } from "./log-files.js";
import { createNodeFileSystem } from "./node-file-system.js";
import type { Ownership } from "./ownership.js";
import { createSegmentFiles } from "./segment-files.js";
import { createSocketOwnership } from "./socket-ownership.js";

export interface VerifyOptions extends Pick<InspectOptions, "onProgress"> {
	/** The data directory. */
	readonly directory: string;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in the directory. */
	readonly ownership?: Ownership;
}

/**
 * Reads every byte of the event log and tells what is not as it was written; changes nothing. Beside a running owner it
 * reads what that says to be durable.
 * *Errors*: rejects with a `StoreFault`: `io`, or `corrupt` for a format that this version does not read. Damage is no
 * error: it is in the result.
 */
export async function verifyFsStorage(options: VerifyOptions): Promise<LogInspection> {
	const directory = resolve(options.directory);
	const { fileSystem = createNodeFileSystem(), ownership = createSocketOwnership() } = options;
	const files = createSegmentFiles(fileSystem, directory);
	try {
		await requireLog(fileSystem, directory);
		const owner = await ownership.connect(directory);
		const upTo = await owner?.durable();
		owner?.close();
		const { onProgress } = options;
		return await inspectLog({ fileSystem, directory, files }, { upTo, ...(onProgress && { onProgress }) });
	} catch (error) {
		throw toFault(error, `checking the event store in ${directory}`);
	} finally {
		await files.close();
	}
}

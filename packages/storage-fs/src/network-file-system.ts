// Which file systems lie on another machine: there, syncs and sockets do not mean what the log needs them to mean.

import { storeFault } from "@reelkeep/core/ports";
import type { FileSystem } from "./file-system.js";

/** Linux's magic numbers of `statfs`, from `linux/magic.h` and the file systems' own headers. */
const NETWORK_KINDS: ReadonlyMap<number, string> = new Map([
	[0x6969, "NFS"],
	[0x517b, "SMB"],
	[0xff534d42, "CIFS"],
	[0xfe534d42, "SMB2"],
	[0x5346414f, "AFS"],
	[0x6b414653, "AFS"],
	[0x73757245, "Coda"],
	[0x00c36400, "Ceph"],
	[0x0bd00bd0, "Lustre"],
	[0x47504653, "GPFS"],
	[0x7461636f, "OCFS2"],
	[0x01161970, "GFS2"],
	[0x19830326, "BeeGFS"],
	[0xaad7aaea, "PanFS"],
	[0x01021997, "9p"],
]);

/** The name of a network file system by the number that `statfs` tells; `undefined` for any other. */
export function networkKind(magic: number): string | undefined {
	return NETWORK_KINDS.get(magic >>> 0);
}

/** *Errors*: rejects with `io` when `directory` lies on a network file system. */
export async function refuseNetworkFileSystem(fileSystem: FileSystem, directory: string): Promise<void> {
	const kind = await fileSystem.networkFileSystem(directory);
	if (kind === undefined) return;
	throw storeFault(
		"io",
		`${directory} lies on a network file system (${kind}): a second machine could write there unseen, and a sync may ` +
			"not mean that bytes are on a disk. Use a local disk or block volume; if only this machine ever mounts it, allow " +
			"it with allowNetworkFileSystem (--allow-network-file-system)",
		{ retryable: false },
	);
}

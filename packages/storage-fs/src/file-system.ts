// The file system as a port: the few operations that storage-fs performs, each durability-relevant one by itself,
// so that a recording, failing or simulated disk can stand in for the real one.

/**
 * What `open` does.
 * - `read`: an existing file, read only; also a directory or a pipe, for which it does not wait
 * - `update`: an existing file, read and write
 * - `write-through`: as `update`, for a file whose every write is synced: a system that can does both in one step, and
 *   then has nothing left to do when `datasync` is called, which says that it failed
 * - `create`: a new file; rejects with `EEXIST` when there is one
 * - `replace`: a new file, or an existing one cut to nothing
 */
export type OpenMode = "read" | "update" | "write-through" | "create" | "replace";

export interface FileStatus {
	readonly bytes: number;
	/** The permission bits, e.g. `0o600`. */
	readonly permissions: number;
	/** `false`: a directory, a pipe, a device. Absent: a file. */
	readonly isFile?: boolean;
}

export interface OpenFile {
	/** Reads into `target` from byte `offset` of the file on; resolves with how many bytes came, 0 at the end. */
	read(target: Uint8Array, offset: number): Promise<number>;
	/** Writes all of `bytes` at byte `offset` of the file, or rejects: then any part may have been written. */
	write(bytes: Uint8Array, offset: number): Promise<void>;
	/** *Promise*: what was written before the call is durable when it resolves, and so is the file's length. */
	datasync(): Promise<void>;
	truncate(bytes: number): Promise<void>;
	status(): Promise<FileStatus>;
	close(): Promise<void>;
}

/**
 * *Shape*: paths as for `node:fs`. New files have mode 0600, new directories 0700.
 * *Errors*: rejects with an `Error` whose `code` is the system's: `ENOENT`, `EEXIST`, `EIO`, `ENOSPC`, …
 * *Promise*: a name that was made, moved or removed is durable only after `syncDirectory` of its directory.
 */
export interface FileSystem {
	open(path: string, mode: OpenMode): Promise<OpenFile>;
	/** Makes one directory; its parent is there. Resolves with `false` when it was there already. */
	makeDirectory(path: string): Promise<boolean>;
	/** The names in a directory, in no order. */
	list(path: string): Promise<readonly string[]>;
	/** Moves a file; atomically replaces what has the new name. */
	rename(from: string, to: string): Promise<void>;
	/** Gives a file a second name; rejects with `EEXIST` when that is taken. */
	link(existing: string, added: string): Promise<void>;
	unlink(path: string): Promise<void>;
	syncDirectory(path: string): Promise<void>;
	/** How much more a user without privileges can write below `path`; `undefined`: the file system does not say. */
	freeBytes(path: string): Promise<number | undefined>;
	/** The kind of network file system that holds `path`, e.g. `NFS`; `undefined`: it is local, or that cannot be told. */
	networkFileSystem(path: string): Promise<string | undefined>;
}

/** Whether `error` carries one of these system codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
	const code = (error as { code?: unknown } | undefined)?.code;
	return typeof code === "string" && codes.includes(code);
}

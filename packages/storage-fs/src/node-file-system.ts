// The file system of `node:fs`. Raw descriptors and callbacks: half the cost of `fs.promises` at our write sizes.

import * as fs from "node:fs";
import { promisify } from "node:util";
import { type FileSystem, hasCode, type OpenFile, type OpenMode } from "./file-system.js";
import { networkKind } from "./network-file-system.js";

/** Who opens a pipe for reading would wait for its writer. */
const READ = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
/** Where a sync means the disk and not its cache. */
const isDirect = process.platform === "linux";
const FLAGS: Readonly<Record<OpenMode, string | number>> = {
	read: READ,
	update: "r+",
	"write-through": isDirect ? fs.constants.O_RDWR | fs.constants.O_DSYNC : "r+",
	create: "wx+",
	replace: "w+",
};
const FILE_PERMISSIONS = 0o600;
const DIRECTORY_PERMISSIONS = 0o700;

const open = promisify(fs.open);
const close = promisify(fs.close);
const datasync = promisify(fs.fdatasync);
const sync = promisify(fs.fsync);
const truncate = promisify(fs.ftruncate);
const status = promisify(fs.fstat);
const statistics = promisify(fs.statfs);

/** Makes the `FileSystem` of the machine. */
export function createNodeFileSystem(): FileSystem {
	return {
		async open(path, mode) {
			const descriptor = await open(path, FLAGS[mode], FILE_PERMISSIONS);
			return mode === "write-through" && isDirect ? openWriteThrough(descriptor) : openFile(descriptor);
		},
		makeDirectory,
		list: promisify(fs.readdir) as (path: string) => Promise<string[]>,
		rename: promisify(fs.rename),
		link: promisify(fs.link),
		unlink: promisify(fs.unlink),
		syncDirectory,
		freeBytes,
		networkFileSystem,
	};
}

function openFile(descriptor: number): OpenFile {
	return {
		read: (target, offset) =>
			new Promise((resolve, reject) => {
				fs.read(descriptor, target, 0, target.byteLength, offset, (error, count) =>
					error === null ? resolve(count) : reject(error),
				);
			}),
		async write(bytes, offset) {
			let done = 0;
			// A full disk or a signal may shorten a write; the next call then tells why.
			while (done < bytes.byteLength) done += await writeSome(descriptor, bytes, done, offset + done);
		},
		datasync: () => datasync(descriptor),
		truncate: (bytes) => truncate(descriptor, bytes),
		async status() {
			const stats = await status(descriptor);
			return { bytes: stats.size, permissions: stats.mode & 0o777, isFile: stats.isFile() };
		},
		close: () => close(descriptor),
	};
}

/**
 * One hop to another thread for a write and its sync. What was not written so is synced as ever: a new length, and what
 * another has left in the file before it was opened.
 */
function openWriteThrough(descriptor: number): OpenFile {
	const file = openFile(descriptor);
	let failure: Error | undefined;
	let isSynced = false;
	return {
		...file,
		async write(bytes, offset) {
			try {
				await file.write(bytes, offset);
			} catch (error) {
				isSynced = false;
				if (hasCode(error, "ENOSPC", "EDQUOT")) throw error;
				// It is not known which of the two failed: what must not be trusted is the sync.
				failure = error as Error;
			}
		},
		truncate(bytes) {
			isSynced = false;
			return file.truncate(bytes);
		},
		async datasync() {
			if (failure !== undefined) throw failure;
			if (!isSynced) await file.datasync();
			isSynced = true;
		},
	};
}

function writeSome(descriptor: number, bytes: Uint8Array, from: number, offset: number): Promise<number> {
	return new Promise((resolve, reject) => {
		fs.write(descriptor, bytes, from, bytes.byteLength - from, offset, (error, count) =>
			error === null ? resolve(count) : reject(error),
		);
	});
}

async function makeDirectory(path: string): Promise<boolean> {
	try {
		await promisify(fs.mkdir)(path, DIRECTORY_PERMISSIONS);
		return true;
	} catch (error) {
		if (hasCode(error, "EEXIST")) return false;
		throw error;
	}
}

async function syncDirectory(path: string): Promise<void> {
	const descriptor = await open(path, "r");
	try {
		await sync(descriptor);
	} finally {
		await close(descriptor);
	}
}

async function freeBytes(path: string): Promise<number | undefined> {
	try {
		const { bavail, blocks, bsize } = await statistics(path);
		// Those that have no idea of it say 0 of 0.
		return blocks > 0 ? bavail * bsize : undefined;
	} catch (error) {
		if (hasCode(error, "ENOSYS", "ENOTSUP", "EOPNOTSUPP")) return undefined;
		throw error;
	}
}

async function networkFileSystem(path: string): Promise<string | undefined> {
	// The numbers are Linux's; others tell none or others.
	if (process.platform !== "linux") return undefined;
	return networkKind((await statistics(path)).type);
}

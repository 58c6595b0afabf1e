// For this package's tests only: temporary directories, and the real disk with every call written down, delayed or failed.

import { cp, lstat, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { FileSystem, OpenFile } from "./file-system.js";
import { createNodeFileSystem } from "./node-file-system.js";

/** A directory that is removed when the test is over. */
export async function temporaryDirectory(): Promise<string> {
	const directory = await mkdtemp(join(tmpdir(), "reelkeep-"));
	onTestFinished(() => rm(directory, { recursive: true, force: true }));
	return directory;
}

export interface DiskCall {
	readonly operation: keyof OpenFile | keyof FileSystem;
	readonly path: string;
	/** Of a write: the bytes' place in the file; of a read: the place of those that were asked for. */
	readonly from?: number;
	readonly to?: number;
	/** Of what is done with an open file: which opening of a file it was. */
	readonly handle?: number;
}

export interface DiskEntry extends DiskCall {
	readonly phase: "started" | "finished" | "failed";
}

export interface ScriptedDisk {
	readonly fileSystem: FileSystem;
	/** Everything that happened, in order. */
	readonly trace: DiskEntry[];
	/** Runs before each call; may wait, or throw to make the call fail. */
	before: (call: DiskCall) => Promise<void> | void;
	/** Runs after each call that succeeded, before its caller is told; may wait or throw. */
	after: (call: DiskCall) => Promise<void> | void;
}

/** The real disk under a script. */
export function scriptedDisk(base: FileSystem = createNodeFileSystem()): ScriptedDisk {
	const trace: DiskEntry[] = [];
	const run = async <T>(call: DiskCall, work: () => Promise<T>): Promise<T> => {
		trace.push({ ...call, phase: "started" });
		try {
			await disk.before(call);
			const result = await work();
			await disk.after(call);
			trace.push({ ...call, phase: "finished" });
			return result;
		} catch (error) {
			trace.push({ ...call, phase: "failed" });
			throw error;
		}
	};
	let handles = 0;
	const wrapFile = (path: string, file: OpenFile): OpenFile => {
		handles += 1;
		const on = { path, handle: handles };
		const place = (bytes: Uint8Array, from: number) => ({ ...on, from, to: from + bytes.byteLength });
		return {
			read: (target, offset) =>
				run({ operation: "read", ...place(target, offset) }, () => file.read(target, offset)),
			write: (bytes, offset) =>
				run({ operation: "write", ...place(bytes, offset) }, () => file.write(bytes, offset)),
			datasync: () => run({ operation: "datasync", ...on }, () => file.datasync()),
			truncate: (bytes) => run({ operation: "truncate", ...on }, () => file.truncate(bytes)),
			status: () => run({ operation: "status", ...on }, () => file.status()),
			close: () => run({ operation: "close", ...on }, () => file.close()),
		};
	};
	const disk: ScriptedDisk = {
		trace,
		before: () => {},
		after: () => {},
		fileSystem: {
			open: async (path, mode) =>
				wrapFile(path, await run({ operation: "open", path }, () => base.open(path, mode))),
			makeDirectory: (path) => run({ operation: "makeDirectory", path }, () => base.makeDirectory(path)),
			list: (path) => run({ operation: "list", path }, () => base.list(path)),
			rename: (from, to) => run({ operation: "rename", path: to }, () => base.rename(from, to)),
			link: (from, to) => run({ operation: "link", path: to }, () => base.link(from, to)),
			unlink: (path) => run({ operation: "unlink", path }, () => base.unlink(path)),
			syncDirectory: (path) => run({ operation: "syncDirectory", path }, () => base.syncDirectory(path)),
			freeBytes: (path) => run({ operation: "freeBytes", path }, () => base.freeBytes(path)),
			networkFileSystem: (path) =>
				run({ operation: "networkFileSystem", path }, () => base.networkFileSystem(path)),
		},
	};
	return disk;
}

/** What a crash of the process would leave now. */
export async function copyOfDirectory(directory: string): Promise<string> {
	const copy = join(await temporaryDirectory(), "copy");
	// A socket's name stays behind a kill as well, but cannot be copied.
	const filter = async (path: string): Promise<boolean> => !(await lstat(path)).isSocket();
	await cp(directory, copy, { recursive: true, filter });
	return copy;
}

/** What the disk has begun it ends; from now on it does nothing for the process that was killed but close its files. */
async function cutOff(disk: ScriptedDisk): Promise<void> {
	disk.before = ({ operation }) => {
		if (operation !== "close") throw systemError("EIO");
	};
	const underWay = (): number =>
		disk.trace.reduce((count, { phase }) => count + (phase === "started" ? 1 : -1), 0);
	while (underWay() > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** An error as the system's, with its code. */
export function systemError(code: string): Error {
	return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

/** A promise and how to settle it. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
	let open: () => void = () => {};
	const passed = new Promise<void>((resolve) => {
		open = resolve;
	});
	return { passed, open };
}

/** The real disk without any sync: for tests that are not about power cuts. */
export function unsyncedDisk(): FileSystem {
	const disk = createNodeFileSystem();
	return {
		...disk,
		open: async (path, mode) => ({
			...(await disk.open(path, mode === "write-through" ? "update" : mode)),
			datasync: async () => {},
		}),
		syncDirectory: async () => {},
	};
}

/** For a suite's harness: a store in a directory of its own, opened again in order or after a kill. `start`: makes and opens it. */
export async function diskHarness<Store extends { close(): Promise<void> }>(
	start: (directory: string, disk: ScriptedDisk) => Promise<Store>,
) {
	let directory = await temporaryDirectory();
	let disk = scriptedDisk();
	let store: Store | undefined;
	const open = async (): Promise<Store> => {
		disk = scriptedDisk();
		store = await start(directory, disk);
		return store;
	};
	return {
		open,
		async reopen() {
			await store?.close();
			return open();
		},
		async crash() {
			const killed = store;
			await cutOff(disk);
			directory = await copyOfDirectory(directory);
			// Only its files and its lock are let go: it can write nothing, and may well say so.
			await killed?.close().catch(() => undefined);
			return open();
		},
		dispose: async () => store?.close(),
	};
}

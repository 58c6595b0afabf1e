// The file system of storage-fs on the simulated disk, as one process sees it: calls that take their time, come in any
// order, and fail.

import { basename } from "node:path";
import type { FileSystem, OpenFile, OpenMode } from "@reelkeep/storage-fs";
import type { Fault, Operation } from "./faults.js";
import type { Machine, SimulatedProcess } from "./machine.js";
import type { SimulatedFile } from "./simulated-file.js";
import { systemError } from "./system-error.js";
import type { Role } from "./wiring.js";

export interface SimulatedFileSystem extends FileSystem {
	/** The kind of network file system that holds `path`; `undefined` when it is local. */
	networkFileSystem(path: string): Promise<string | undefined>;
}

const FILE_PERMISSIONS = 0o600;
const CHANGES: ReadonlySet<Operation> = new Set<Operation>([
	"write",
	"truncate",
	"makeDirectory",
	"rename",
	"link",
	"unlink",
]);

/** A checkpoint's file is named by a hash, of which the trace needs no more than this. */
const HASH = /([0-9a-f]{6})[0-9a-f]{58}/;

/** What a call does: the whole of it, and what is left when it breaks off midway. */
interface Deed<T> {
	readonly whole: () => T;
	readonly half?: () => void;
}

export function createSimulatedFileSystem(
	machine: Machine,
	process: SimulatedProcess,
	role: Role,
): SimulatedFileSystem {
	const { disk, chronicle, faults } = machine;
	const random = machine.random.fork();

	const refuseChange = (operation: Operation, path: string): void => {
		if (role === "reader")
			chronicle.violate(`${process.name}, which only reads, changes the disk: ${operation} ${path}`);
	};
	const call = <T>(operation: Operation, what: string, deed: Deed<T>): Promise<T> => {
		if (CHANGES.has(operation)) refuseChange(operation, what);
		const work = (): T => {
			const fault = faults.decide(operation);
			if (fault === undefined) return deed.whole();
			chronicle.say(`       fails with ${fault.code} ${fault.when}`);
			chronicle.count(`fault.${operation}.${fault.when}`);
			return fail(fault, what, deed);
		};
		return process.perform(`${operation} ${what.replace(HASH, "$1…")}`, work, {
			isSlow: operation === "datasync",
		});
	};

	const openFile = (path: string, file: SimulatedFile): OpenFile => {
		const name = basename(path);
		let isOpen = true;
		let failedSyncs = file.failedSyncs;
		const onFile = <T>(operation: Operation, what: string, deed: Deed<T>): Promise<T> => {
			if (!isOpen) chronicle.violate(`${process.name} uses ${name} after it closed it: ${operation}`);
			return call(operation, what, deed);
		};
		const write = (bytes: Uint8Array, offset: number): Promise<void> =>
			onFile("write", `${name} ${offset}+${bytes.byteLength}`, {
				whole: () => file.write(disk.now(), bytes, offset),
				half: () => file.write(disk.now(), bytes.subarray(0, random.below(bytes.byteLength)), offset),
			});
		process.openFiles += 1;
		return {
			read: (target, offset) =>
				onFile("read", `${name} ${offset}+${target.byteLength}`, {
					whole() {
						const isShort = target.byteLength > 1 && random.chance(faults.rates.shortReads);
						if (isShort) chronicle.count("disk.short-read");
						const length = isShort ? random.between(1, target.byteLength - 1) : target.byteLength;
						return file.read(target.subarray(0, length), offset);
					},
				}),
			async write(bytes, offset) {
				if (bytes.byteLength < 2 || !random.chance(faults.rates.splitWrites)) return write(bytes, offset);
				chronicle.count("disk.split-write");
				const at = random.between(1, bytes.byteLength - 1);
				await write(bytes.subarray(0, at), offset);
				await write(bytes.subarray(at), offset + at);
			},
			datasync() {
				const began = disk.now();
				return onFile("datasync", name, {
					whole() {
						file.sync(began);
						if (failedSyncs === file.failedSyncs) return;
						failedSyncs = file.failedSyncs;
						chronicle.count("disk.sync-error-of-another");
						throw systemError("EIO", `${name}, that an earlier sync failed`);
					},
					half() {
						file.failSync();
						failedSyncs = file.failedSyncs;
					},
				});
			},
			truncate: (length) =>
				onFile("truncate", `${name} ${length}`, { whole: () => file.truncate(disk.now(), length) }),
			status: () =>
				onFile("status", name, { whole: () => ({ bytes: file.length, permissions: FILE_PERMISSIONS }) }),
			close: () => {
				const closing = onFile("close", name, { whole: () => undefined });
				if (isOpen) process.openFiles -= 1;
				isOpen = false;
				return closing;
			},
		};
	};

	const open = (path: string, mode: OpenMode): SimulatedFile => {
		if (mode === "create" || (mode === "replace" && !disk.has(path))) return disk.createFile(path);
		const file = disk.fileAt(path);
		if (mode === "replace" && file.length > 0) file.truncate(disk.now(), 0);
		return file;
	};

	return {
		async open(path, mode) {
			if (mode === "create" || mode === "replace") refuseChange("open", path);
			const file = await call("open", `${path} ${mode}`, { whole: () => open(path, mode) });
			return openFile(path, file);
		},
		makeDirectory: (path) => call("makeDirectory", path, { whole: () => disk.makeDirectory(path) }),
		list: (path) => call("list", path, { whole: () => random.shuffle(disk.list(path)) }),
		rename: (from, to) => call("rename", `${from} ${to}`, { whole: () => disk.rename(from, to) }),
		link: (existing, added) =>
			call("link", `${existing} ${added}`, { whole: () => disk.link(existing, added) }),
		unlink: (path) => call("unlink", path, { whole: () => disk.unlink(path) }),
		syncDirectory(path) {
			const began = disk.now();
			return call("syncDirectory", path, { whole: () => disk.syncDirectory(path, began) });
		},
		freeBytes: async () => undefined,
		networkFileSystem: async () => undefined,
	};
}

function fail<T>({ when, code }: Fault, what: string, { whole, half }: Deed<T>): never {
	if (when === "after") whole();
	else if (when !== "before") half?.();
	throw systemError(code, what);
}

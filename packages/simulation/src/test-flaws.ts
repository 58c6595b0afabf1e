// For this package's tests only: flaws that a storage could have, each put into a simulated process from outside.

import type { EventStore } from "@reelkeep/core/ports";
import type { FileSystem, OpenFile } from "@reelkeep/storage-fs";
import type { SimulatedFile } from "./simulated-file.js";
import type { Wiring } from "./wiring.js";

export interface Flaw {
	readonly name: string;
	/** Of so many seeds, one at least must see it. */
	readonly withinSeeds: number;
	readonly wiring: Partial<Wiring>;
	/** What may be said of it. */
	readonly seenAs: RegExp;
}

/** Events that were told of are gone, or what follows them tells that they were there. */
const LOST = /ends before|somebody was told of|the log ends at|corrupt/;

export const FLAWS: readonly Flaw[] = [
	{
		name: "nothing is synced",
		withinSeeds: 20,
		wiring: { fileSystem: (inner) => withFiles(inner, () => ({ datasync: async () => undefined })) },
		seenAs: LOST,
	},
	{
		name: "an append is acknowledged while its sync is under way",
		withinSeeds: 60,
		wiring: {
			fileSystem: (inner) =>
				withFiles(inner, (file) => ({
					async datasync() {
						void file.datasync().catch(() => undefined);
					},
				})),
		},
		seenAs: LOST,
	},
	{
		name: "a duplicate is told of before the first one is durable",
		withinSeeds: 100,
		wiring: { eventStore: (inner, role) => (role === "owner" ? refusingEarly(inner) : inner) },
		seenAs: /somebody was told of|was refused/,
	},
	{
		name: "a reader sees what is written and not durable yet",
		withinSeeds: 200,
		wiring: {
			ownership: (inner, { disk }) => ({
				acquire: (directory, startedAt) => inner.acquire(directory, startedAt),
				async connect(directory) {
					const connection = await inner.connect(directory);
					if (connection === undefined) return undefined;
					return {
						owner: connection.owner,
						isOpen: () => connection.isOpen(),
						onChange: (listener) => connection.onChange(listener),
						close: () => connection.close(),
						async durable() {
							const told = await connection.durable();
							if (told === undefined) return undefined;
							const path = `${directory}/events/${String(told.segment).padStart(8, "0")}.ndjson`;
							return { ...told, ...wholeLines(disk.fileAt(path), told) };
						},
					};
				},
			}),
		},
		seenAs: LOST,
	},
	{
		name: "directories are not synced",
		withinSeeds: 20,
		wiring: { fileSystem: (inner) => ({ ...inner, syncDirectory: async () => undefined }) },
		seenAs: LOST,
	},
	{
		name: "a failed sync is tried again, and the second answer believed",
		withinSeeds: 200,
		wiring: {
			fileSystem: (inner) =>
				withFiles(inner, (file) => ({ datasync: () => file.datasync().catch(() => file.datasync()) })),
		},
		seenAs: LOST,
	},
	{
		name: "a checkpoint is saved before the work is done",
		withinSeeds: 60,
		wiring: {
			handler: (inner) => async (event, signal) => {
				void inner(event, signal).catch(() => undefined);
			},
		},
		seenAs: /the work of|has skipped/,
	},
	{
		name: "a short read is taken for a whole one",
		withinSeeds: 20,
		wiring: {
			fileSystem: (inner) =>
				withFiles(inner, (file) => ({
					read: async (target, offset) => ((await file.read(target, offset)) > 0 ? target.byteLength : 0),
				})),
		},
		seenAs: /corrupt/,
	},
	{
		name: "a saved checkpoint is not durable",
		withinSeeds: 60,
		wiring: {
			fileSystem: (inner) => ({
				...inner,
				syncDirectory: async (path) => (path.endsWith("checkpoints") ? undefined : inner.syncDirectory(path)),
			}),
		},
		seenAs: /the checkpoint of/,
	},
];

/** `inner` with files that do some things in another way. */
function withFiles(inner: FileSystem, change: (file: OpenFile) => Partial<OpenFile>): FileSystem {
	return {
		...inner,
		async open(path, mode) {
			const file = await inner.open(path, mode);
			return { ...file, ...change(file) };
		},
	};
}

/** Where the last line of `file` ends, and the position of its event, when that is behind what was `told`. */
function wholeLines(
	file: SimulatedFile,
	told: { readonly bytes: number; readonly position: number },
): { readonly bytes: number; readonly position: number } {
	const rest = Buffer.alloc(Math.max(0, file.length - told.bytes));
	file.read(rest, told.bytes);
	const bytes = told.bytes + rest.lastIndexOf("\n") + 1;
	return { bytes, position: told.position + rest.toString("latin1").split("\n").length - 1 };
}

/** Answers a creation while another of the same name is under way. */
function refusingEarly(inner: EventStore): EventStore {
	const underWay = new Set<string>();
	return {
		supports: inner.supports,
		read: (stream, options) => inner.read(stream, options),
		readAll: (options) => inner.readAll(options),
		onAppended: (hint) => inner.onAppended(hint),
		close: () => inner.close(),
		async append(stream, events, expected) {
			if (expected === "no-stream" && underWay.has(stream)) {
				return { _tag: "WrongExpectedVersion", actualVersion: 1 };
			}
			underWay.add(stream);
			try {
				return await inner.append(stream, events, expected);
			} finally {
				underWay.delete(stream);
			}
		},
	};
}

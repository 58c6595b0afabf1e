// For the test of the snapshot store's suite only: a sound store in memory, and how a flaw is planted in it.

import {
	checkSnapshotName,
	type SaveSnapshotResult,
	type Snapshot,
	type SnapshotStore,
	storeFault,
} from "../ports/index.js";
import { pause } from "./pause.js";
import type { SnapshotStoreHarness } from "./snapshot-store.js";

export type MakeSnapshots = () => Promise<SnapshotStoreHarness>;

/** What is broken, and the clauses that fail with it. */
export interface SnapshotFlaw {
	readonly breaks: readonly string[];
	readonly make: MakeSnapshots;
}

/** The text under every name; outlives the store. */
export type SnapshotDisk = Map<string, string>;

/** What a flaw may look at. */
export interface SnapshotSession {
	readonly disk: SnapshotDisk;
	/** The texts that lie there and were never saved: a sound store tells them, as by a hash. */
	readonly damaged: ReadonlySet<string>;
	/** How the session before it ended. */
	readonly after?: "reopen" | "crash";
	/** Whether it has ended itself: it writes no more. */
	isOver(): boolean;
}

/** Of the sound one, in bytes. */
export const MAX_SNAPSHOT_BYTES = 1024 * 1024;

/** A store that finds everything again. `plant` replaces some members of each session's store. */
export function brokenSnapshots(
	plant: (store: SnapshotStore, session: SnapshotSession) => Partial<SnapshotStore> = () => ({}),
): MakeSnapshots {
	return async () => {
		const disk: SnapshotDisk = new Map();
		const damaged = new Set<string>();
		let session = openSession(disk, damaged);
		const planted = (after?: "reopen" | "crash"): SnapshotStore => {
			const { store, isOver } = session;
			const seen = { disk, damaged, isOver, ...(after !== undefined && { after }) };
			return { ...store, ...plant(store, seen) };
		};
		const next = (after: "reopen" | "crash") => async (): Promise<SnapshotStore> => {
			await session.end(after);
			session = openSession(disk, damaged);
			return planted(after);
		};
		const reopen = next("reopen");
		return {
			open: async () => planted(),
			reopen,
			crash: next("crash"),
			async damage(name) {
				await session.end("reopen");
				// A flaw may keep it under another name: what came there last.
				const key = disk.has(name) ? name : ([...disk.keys()].at(-1) ?? name);
				const text = turnedAt(disk.get(key) ?? "", damaged.size);
				damaged.add(text);
				disk.set(key, text);
				return reopen();
			},
			maxSnapshotBytes: MAX_SNAPSHOT_BYTES,
			dispose: async () => undefined,
		};
	};
}

/** `text` with one bit turned: of its brackets, or of a digit in its state. */
function turnedAt(text: string, turn: number): string {
	const at = turn % 2 === 0 ? Math.floor(turn / 2) : text.lastIndexOf("000") - turn;
	return `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ 1)}${text.slice(at + 1)}`;
}

/** One process. What it has not written by a kill is lost. */
function openSession(disk: SnapshotDisk, damaged: ReadonlySet<string>) {
	const turns = new Map<string, Promise<void>>();
	let isKilled = false;
	const store: SnapshotStore = {
		async load(name) {
			checkSnapshotName(name);
			const text = disk.get(name);
			return text !== undefined && damaged.has(text) ? undefined : parsed(text);
		},
		async save(name, snapshot) {
			checkSnapshotName(name);
			const text = JSON.stringify(snapshot);
			const refusal = refusalOf(text);
			if (refusal !== undefined) return refusal;
			const turn = (turns.get(name) ?? Promise.resolve())
				.then(() => pause(2))
				.then(() => {
					if (isKilled) throw storeFault("closed", "this session is over");
					disk.set(name, text);
				});
			turns.set(
				name,
				turn.catch(() => undefined),
			);
			await turn;
			return { _tag: "Saved" };
		},
	};
	return {
		store,
		isOver: () => isKilled,
		async end(after: "reopen" | "crash"): Promise<void> {
			if (after === "reopen") await Promise.all(turns.values());
			isKilled = true;
		},
	};
}

export function refusalOf(text: string): SaveSnapshotResult | undefined {
	const bytes = new TextEncoder().encode(text).length;
	return bytes > MAX_SNAPSHOT_BYTES ? { _tag: "TooLarge", bytes, maxBytes: MAX_SNAPSHOT_BYTES } : undefined;
}

/** Text that was cut short is no snapshot. */
export function parsed(text: string | undefined): Snapshot | undefined {
	try {
		return text === undefined ? undefined : (JSON.parse(text) as Snapshot);
	} catch {
		return undefined;
	}
}

/** A store that hands snapshots out as something else. */
export function loadedAs(change: (snapshot: Snapshot) => Snapshot | undefined): MakeSnapshots {
	return brokenSnapshots((store) => ({
		async load(name) {
			const snapshot = await store.load(name);
			return snapshot && change(snapshot);
		},
	}));
}

/** A store that takes one name for another. */
export function renamedSnapshots(rename: (name: string) => string): SnapshotFlaw {
	return {
		breaks: ["distinct-names", "reopened"],
		make: brokenSnapshots((store) => ({
			async load(name) {
				checkSnapshotName(name);
				return store.load(rename(name));
			},
			async save(name, snapshot) {
				checkSnapshotName(name);
				return store.save(rename(name), snapshot);
			},
		})),
	};
}

// For the test of the snapshot store's suite only: a sound store in memory, and how a flaw is planted in it.

import {
	checkSnapshotName,
	type SaveSnapshotResult,
	type Snapshot,
	type SnapshotStore,
	storeFault,
} from "../ports/index.js";
import type { SnapshotStoreHarness } from "./snapshot-store.js";
import { pause } from "./test-flawed-stores.js";

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
	/** How the session before it ended. */
	readonly after?: "reopen" | "crash";
}

/** Of the sound one, in bytes. */
export const MAX_SNAPSHOT_BYTES = 1024 * 1024;

/** A store that finds everything again. `plant` replaces some members of each session's store. */
export function brokenSnapshots(
	plant: (store: SnapshotStore, session: SnapshotSession) => Partial<SnapshotStore> = () => ({}),
): MakeSnapshots {
	return async () => {
		const disk: SnapshotDisk = new Map();
		let session = openSession(disk);
		const planted = (after?: "reopen" | "crash"): SnapshotStore => ({
			...session.store,
			...plant(session.store, { disk, ...(after !== undefined && { after }) }),
		});
		const next = (after: "reopen" | "crash") => async (): Promise<SnapshotStore> => {
			await session.end(after);
			session = openSession(disk);
			return planted(after);
		};
		return {
			open: async () => planted(),
			reopen: next("reopen"),
			crash: next("crash"),
			maxSnapshotBytes: MAX_SNAPSHOT_BYTES,
			dispose: async () => undefined,
		};
	};
}

/** One process. What it has not written by a kill is lost. */
function openSession(disk: SnapshotDisk) {
	const turns = new Map<string, Promise<void>>();
	let isKilled = false;
	const store: SnapshotStore = {
		async load(name) {
			checkSnapshotName(name);
			return parsed(disk.get(name));
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

// For the test of the snapshot store's suite only: stores that show a save half done, or lose what was saved.

import { type Snapshot, type SnapshotStore, storeFault } from "../ports/index.js";
import { pause } from "./pause.js";
import {
	brokenSnapshots,
	parsed,
	refusalOf,
	type SnapshotDisk,
	type SnapshotFlaw,
	type SnapshotSession,
} from "./test-flawed-snapshots.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const snapshotKeepingFlaws: Record<string, SnapshotFlaw> = {
	"a snapshot is gone while another takes its place": {
		breaks: ["whole-meanwhile"],
		make: brokenSnapshots((store) => savingSeen(store, () => undefined)),
	},
	"a snapshot is told of before its state": {
		breaks: ["whole-meanwhile"],
		make: brokenSnapshots((store) =>
			savingSeen(store, (before, next) => before && { ...before, position: next.position }),
		),
	},
	"all names are written at once, as they were read": {
		breaks: ["names-at-once"],
		make: brokenSnapshots((store, { disk }) => lastWriterWins(store, disk)),
	},
	"it forgets with its process": {
		breaks: ["reopened", "crash", "crash-save", "damaged"],
		make: brokenSnapshots((_, { disk, after }) => {
			if (after !== undefined) disk.clear();
			return {};
		}),
	},
	"a later process does not find names that are no file names": {
		breaks: ["reopened"],
		make: brokenSnapshots((_, { disk, after }) => {
			if (after === "reopen") for (const name of disk.keys()) if (name.includes("/")) disk.delete(name);
			return {};
		}),
	},
	"a kill brings back the small snapshot before the last": {
		breaks: ["crash"],
		make: async () => {
			const before = new Map<string, string>();
			return brokenSnapshots((store, { disk, after }) => {
				if (after === "crash") for (const [name, text] of before) disk.set(name, text);
				before.clear();
				return {
					async save(name, snapshot) {
						const text = disk.get(name);
						const result = await store.save(name, snapshot);
						if (text !== undefined && text.length < 1_000) before.set(name, text);
						return result;
					},
				};
			})();
		},
	},
	"a kill leaves the half of a snapshot that was written": {
		breaks: ["crash-save"],
		make: brokenSnapshots((store, { disk }) => {
			const before = new Map<string, string>();
			return {
				load: async (name) => (before.has(name) ? parsed(before.get(name)) : store.load(name)),
				async save(name, snapshot) {
					const text = disk.get(name);
					// In its place, and of one that comes alone: its first half lies there for a while.
					if (text === undefined || before.has(name)) return store.save(name, snapshot);
					const saving = store.save(name, snapshot);
					const isRefused = refusalOf(JSON.stringify(snapshot)) !== undefined;
					if (isRefused) return saving;
					before.set(name, text);
					disk.set(name, text.slice(0, text.length / 2));
					return saving.finally(() => before.delete(name));
				},
			};
		}),
	},
	"the halves of a snapshot are written in its place, late and soon behind each other": {
		breaks: ["crash-save"],
		make: brokenSnapshots((store, session) => writtenInHalves(store, session)),
	},
	"a save that a kill cut short is made up for some time later": {
		breaks: ["crash-save"],
		make: brokenSnapshots((store, { disk, isOver }) => ({
			async save(name, snapshot) {
				const text = JSON.stringify(snapshot);
				try {
					return await store.save(name, snapshot);
				} catch (error) {
					if (isOver()) void pause(10).then(() => disk.set(name, text));
					throw error;
				}
			},
		})),
	},
	"a save of a large snapshot resolves before it is written": {
		breaks: ["crash-save"],
		make: brokenSnapshots((store) => {
			const underWay = new Map<string, Snapshot>();
			return {
				load: async (name) => underWay.get(name) ?? store.load(name),
				async save(name, snapshot) {
					const isLarge = Array.isArray(snapshot.state) && snapshot.state.length > 5_000;
					if (!isLarge) return store.save(name, snapshot);
					underWay.set(name, structuredClone(snapshot));
					void store.save(name, snapshot).then(
						() => underWay.delete(name),
						() => undefined,
					);
					return { _tag: "Saved" };
				},
			};
		}),
	},
	"bytes that changed are a state, where they are JSON still": {
		breaks: ["damaged"],
		make: brokenSnapshots((store, { disk }) => ({
			load: async (name) => (await store.load(name)) ?? parsed(disk.get(name)),
		})),
	},
	"bytes that changed are a fault": {
		breaks: ["damaged"],
		make: brokenSnapshots((store, { disk, damaged }) => ({
			async load(name) {
				const snapshot = await store.load(name);
				if (damaged.has(disk.get(name) ?? "")) throw storeFault("corrupt", "a snapshot is damaged");
				return snapshot;
			},
		})),
	},
	"one damaged snapshot takes the others with it": {
		breaks: ["damaged"],
		make: brokenSnapshots((store, { disk, damaged }) => ({
			async load(name) {
				const snapshot = await store.load(name);
				return [...disk.values()].some((text) => damaged.has(text)) ? undefined : snapshot;
			},
		})),
	},
	"where bytes were damaged nothing is saved any more": {
		breaks: ["damaged"],
		make: brokenSnapshots((store, { disk, damaged }) => ({
			async save(name, snapshot) {
				const result = await store.save(name, snapshot);
				const [earlier] = damaged;
				if (earlier !== undefined && name === "recordings") disk.set(name, earlier);
				return result;
			},
		})),
	},
};

/** A store in which a load during a save sees what `show` makes of the snapshot before. */
function savingSeen(
	store: SnapshotStore,
	show: (before: Snapshot | undefined, next: Snapshot) => Snapshot | undefined,
): Partial<SnapshotStore> {
	const saving = new Map<string, Snapshot>();
	return {
		async load(name) {
			const [before, next] = [await store.load(name), saving.get(name)];
			return next === undefined ? before : show(before, next);
		},
		save(name, snapshot) {
			const result = store.save(name, snapshot);
			saving.set(name, snapshot);
			return result.finally(() => saving.delete(name));
		},
	};
}

/** A snapshot that is there already is written over: for long nothing happens, then the first half lies there for a moment. */
function writtenInHalves(store: SnapshotStore, { disk, isOver }: SnapshotSession): Partial<SnapshotStore> {
	const before = new Map<string, string>();
	return {
		load: async (name) => (before.has(name) ? parsed(before.get(name)) : store.load(name)),
		async save(name, snapshot) {
			const [old, text] = [disk.get(name), JSON.stringify(snapshot)];
			if (old === undefined || before.has(name) || refusalOf(text) !== undefined)
				return store.save(name, snapshot);
			before.set(name, old);
			// With what follows a multiple of the suite's parts, so that they all miss it.
			await pause(46);
			if (isOver()) throw storeFault("closed", "this session is over");
			disk.set(name, text.slice(0, text.length / 2));
			return store.save(name, JSON.parse(text)).finally(() => before.delete(name));
		},
	};
}

/** One file holds all names: it is read, changed and written whole. */
function lastWriterWins(store: SnapshotStore, disk: SnapshotDisk): Partial<SnapshotStore> {
	return {
		async save(name, snapshot) {
			const before = new Set(disk.keys());
			const result = await store.save(name, snapshot);
			for (const other of disk.keys()) if (other !== name && !before.has(other)) disk.delete(other);
			return result;
		},
	};
}

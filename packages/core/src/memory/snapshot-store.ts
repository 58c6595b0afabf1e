import { checkSnapshotName } from "../ports/check-name.js";
import type { Snapshot, SnapshotStore } from "../ports/snapshot-store.js";

/** Makes a `SnapshotStore` that forgets everything with the process. */
export function createMemorySnapshotStore(): SnapshotStore {
	// As text: what is changed in a state later must not reach what was saved.
	const snapshots = new Map<string, string>();
	return {
		async load(name) {
			checkSnapshotName(name);
			const text = snapshots.get(name);
			return text === undefined ? undefined : (JSON.parse(text) as Snapshot);
		},
		async save(name, snapshot) {
			checkSnapshotName(name);
			snapshots.set(name, JSON.stringify(snapshot));
			return { _tag: "Saved" };
		},
	};
}

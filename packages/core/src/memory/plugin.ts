import type { Plugin } from "../ports/plugin.js";
import {
	CHECKPOINT_STORE,
	CLOCK,
	EVENT_STORE,
	KEYRING,
	LEASE_STORE,
	SNAPSHOT_STORE,
	VIDEO_STORE,
} from "../ports/tokens.js";
import { createMemoryCheckpointStore } from "./checkpoint-store.js";
import { createMemoryEventStore } from "./event-store.js";
import { createMemoryKeyring } from "./keyring.js";
import { createMemoryLeaseStore } from "./lease-store.js";
import { createMemorySnapshotStore } from "./snapshot-store.js";
import { createMemoryVideoStore } from "./video-store.js";

/** Every store in memory: for tests and first steps. Nothing survives the process. */
export function memoryStorage(): Plugin {
	return {
		name: "memory-storage",
		provides: [EVENT_STORE, CHECKPOINT_STORE, LEASE_STORE, SNAPSHOT_STORE, VIDEO_STORE, KEYRING],
		needs: [CLOCK],
		register(registry) {
			registry.provide(EVENT_STORE, (get) => createMemoryEventStore({ clock: get(CLOCK) }));
			registry.provide(CHECKPOINT_STORE, createMemoryCheckpointStore);
			registry.provide(LEASE_STORE, (get) => createMemoryLeaseStore({ clock: get(CLOCK) }));
			registry.provide(SNAPSHOT_STORE, createMemorySnapshotStore);
			registry.provide(VIDEO_STORE, createMemoryVideoStore);
			registry.provide(KEYRING, () => createMemoryKeyring());
		},
	};
}

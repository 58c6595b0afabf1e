// The stores as a plugin: opened by its start, closed by its stop.

import { CHECKPOINT_STORE, CLOCK, EVENT_STORE, type Get, type Plugin } from "@reelkeep/core/ports";
import { createSqliteStores } from "./sqlite-stores.js";

/** Keeps events and checkpoints in `path`. *Errors*: its start rejects when that cannot be opened. */
export function sqliteStorage({ path }: { readonly path: string }): Plugin {
	let stores: ReturnType<typeof createSqliteStores> | undefined;
	const storesOf = (get: Get) => (stores ??= createSqliteStores(path, get(CLOCK)));
	return {
		name: "storage-sqlite",
		provides: [EVENT_STORE, CHECKPOINT_STORE],
		needs: [CLOCK],
		register(registry) {
			registry.provide(EVENT_STORE, (get) => storesOf(get).events);
			registry.provide(CHECKPOINT_STORE, (get) => storesOf(get).checkpoints);
		},
		start: async (get) => storesOf(get).open(),
		stop: async () => stores?.events.close(),
	};
}

// For the tests of projections only: a log, a place for snapshots, and a small projection. Time is vitest's fake timers.

import { vi } from "vitest";
import { systemClock } from "./container/defaults.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemorySnapshotStore } from "./memory/snapshot-store.js";
import type { EventStore, JsonObject, SnapshotStore } from "./ports/index.js";
import { createProjection, type ProjectionDefinition, type ProjectionOptions } from "./projection.js";

export const passes = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** The ids of all events, in the order in which they were folded in. */
export interface Ids {
	readonly ids: readonly string[];
}

export const idsProjection: ProjectionDefinition<Ids> = {
	name: "ids",
	version: 1,
	initialState: () => ({ ids: [] }),
	evolve: ({ ids }, { id }) => ({ ids: [...ids, id] }),
	evolveUnknown: ({ ids }, { id, type }) => ({ ids: [...ids, `${type} ${id}`] }),
	codec: {
		toJson: ({ ids }) => ({ ids }),
		fromJson(json) {
			const { ids } = json as JsonObject;
			if (!Array.isArray(ids)) throw new TypeError("https://secret.example.com is no state");
			return { ids };
		},
	},
};

/** The ids of the first events that `append` appends. */
export const idsUpTo = (last: number): readonly string[] =>
	Array.from({ length: last }, (_, index) => `e${index + 1}`);

interface Flaws {
	readonly store?: (store: EventStore) => Partial<EventStore>;
	readonly snapshots?: (snapshots: SnapshotStore) => Partial<SnapshotStore>;
}

export function given(flaws: Flaws = {}) {
	const memory = createMemoryEventStore({ clock: { now: () => 0 } });
	const kept = createMemorySnapshotStore();
	const logged: object[] = [];
	const log = (details: object, message: string): void => {
		logged.push({ ...details, message });
	};
	const saves: string[] = [];
	const counted: SnapshotStore = {
		...kept,
		save(name, snapshot) {
			saves.push(snapshot.position);
			return kept.save(name, snapshot);
		},
	};
	const deps = {
		store: { ...memory, ...flaws.store?.(memory) },
		snapshots: { ...counted, ...flaws.snapshots?.(counted) },
		clock: systemClock,
		logger: { trace: log, debug: log, info: log, warn: log, error: log },
	};
	let serial = 0;
	const append = async (count = 1, type = "LogRepaired"): Promise<void> => {
		const data = { lost: [], aside: [] };
		for (let index = 0; index < count; index += 1) {
			serial += 1;
			await memory.append("log", [{ id: `e${serial}`, type, schemaVersion: 1, data, metadata: {} }], "any");
		}
	};
	const start = (definition: Partial<ProjectionDefinition<Ids>> = {}, options: ProjectionOptions = {}) =>
		createProjection(deps, { ...idsProjection, ...definition }, options);
	return { deps, memory, kept, append, start, logged, saves };
}

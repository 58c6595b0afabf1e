// Where a test puts a flaw: each part of a simulated process can be wrapped.

import type { SubscriptionHandler } from "@reelkeep/core";
import type { CheckpointStore, EventStore } from "@reelkeep/core/ports";
import type { FileSystem, Ownership } from "@reelkeep/storage-fs";
import type { Machine } from "./machine.js";

export type Role = "owner" | "reader";

export interface Wiring {
	fileSystem(inner: FileSystem, role: Role): FileSystem;
	ownership(inner: Ownership, machine: Machine): Ownership;
	eventStore(inner: EventStore, role: Role): EventStore;
	checkpoints(inner: CheckpointStore): CheckpointStore;
	handler(inner: SubscriptionHandler): SubscriptionHandler;
}

/** Everything as it is. */
export const PLAIN_WIRING: Wiring = {
	fileSystem: (inner) => inner,
	ownership: (inner) => inner,
	eventStore: (inner) => inner,
	checkpoints: (inner) => inner,
	handler: (inner) => inner,
};

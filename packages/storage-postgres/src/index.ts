// @reelkeep/storage-postgres: events, checkpoints, leases and snapshots in PostgreSQL.

export { createPostgresCheckpointStore, type PostgresCheckpointStore } from "./checkpoint-store.js";
export {
	createPostgresEventStore,
	type PostgresEventStore,
	type PostgresEventStoreOptions,
} from "./event-store.js";
export { createPostgresLeaseStore } from "./lease-store.js";
export { type OpenPostgresStoresOptions, openPostgresStores, type PostgresStores } from "./open-stores.js";
export { type PostgresStorage, type PostgresStorageOptions, postgresStorage } from "./plugin.js";
export type {
	ConnectionOptions,
	PooledClient,
	PostgresClient,
	PostgresPool,
	Row,
	Statement,
} from "./postgres-pool.js";
export { migrate } from "./schema.js";
export { createPostgresSnapshotStore } from "./snapshot-store.js";

// The plugin: everything that storage-postgres has, on one pool of connections.

import { describeError, observe } from "@reelkeep/core";
import {
	CHECKPOINT_STORE,
	CLOCK,
	type Clock,
	EVENT_STORE,
	type Get,
	LEASE_STORE,
	LOGGER,
	type Plugin,
	SNAPSHOT_STORE,
	storeFault,
} from "@reelkeep/core/ports";
import { createPostgresCheckpointStore } from "./checkpoint-store.js";
import { createPostgresEventStore, type PostgresEventStore } from "./event-store.js";
import { createPostgresLeaseStore } from "./lease-store.js";
import {
	type ConnectionOptions,
	checkConnections,
	createPool,
	LEAST_CONNECTIONS,
	type PostgresPool,
} from "./postgres-pool.js";
import { checkMigrated, checkSchemaName, migrate } from "./schema.js";
import { adoptServer, checkHealth, checkServer } from "./server.js";
import { createPostgresSnapshotStore } from "./snapshot-store.js";

const PLUGIN_NAME = "storage-postgres";
export const DEFAULT_SCHEMA = "reelkeep";

interface SchemaOptions {
	/** A lower-case name. Default `reelkeep`. Its tables are Reelkeep's own. */
	readonly schema?: string;
	/** Whether the start brings the schema up to date. Default `true`; `false`: it only looks whether that was done. */
	readonly migrate?: boolean;
	/** Whether processes tell each other of new events; needs a connection of its own, and no pooler. Default `true`. */
	readonly hints?: boolean;
	/** Of one projection's snapshot. Default 64 MiB; a larger state is not saved, and folded anew at each start. */
	readonly maxSnapshotBytes?: number;
}

export type PostgresStorageOptions = SchemaOptions &
	(
		| ConnectionOptions
		/** Yours, a `pg.Pool`: it is not ended. Three connections at least, or two without `hints`. */
		| { readonly pool: PostgresPool }
	);

export interface PostgresStorage extends Plugin, Pick<PostgresEventStore, "appendWithin"> {}

/**
 * Keeps events, checkpoints, leases and snapshots in one schema; any number of processes may use it at once. Videos and
 * keys are kept elsewhere.
 * *Errors*: throws a `RangeError` for a schema that is no name, or too few connections. Its start rejects with a `StoreFault`:
 * `io` when the server cannot be reached, `failed` when it is too old, loses what it was given, or the schema is another
 * release's.
 */
export function postgresStorage(options: PostgresStorageOptions): PostgresStorage {
	const { schema = DEFAULT_SCHEMA } = options;
	checkSchemaName(schema);
	const least = options.hints === false ? LEAST_CONNECTIONS : LEAST_CONNECTIONS + 1;
	if ("pool" in options) checkConnections("max of the pool", options.pool.options?.max, least);
	else checkConnections("maxConnections", options.maxConnections, least);
	let parts: { readonly pool: PostgresPool; readonly events: PostgresEventStore } | undefined;
	let clock: Clock | undefined;
	/** The user's own stays as it is. */
	const endPool = async (pool: PostgresPool): Promise<void> => {
		if (!("pool" in options)) await pool.end();
	};
	const partsOf = (get: Get) => {
		parts ??= createParts(get);
		return parts;
	};
	const createParts = (get: Get) => {
		const logger = get(LOGGER);
		const pool =
			"pool" in options
				? options.pool
				: createPool(options, (error) =>
						observe(() =>
							logger.warn({ error: describeError(error) }, "a connection to PostgreSQL was lost"),
						),
					);
		const events = createPostgresEventStore({
			pool,
			schema,
			clock: get(CLOCK),
			logger,
			...(options.hints === undefined ? {} : { hints: options.hints }),
		});
		return { pool, events };
	};
	return {
		name: PLUGIN_NAME,
		provides: [EVENT_STORE, CHECKPOINT_STORE, LEASE_STORE, SNAPSHOT_STORE],
		needs: [CLOCK, LOGGER],
		register(registry) {
			const deps = (get: Get) => ({ pool: partsOf(get).pool, schema });
			registry.provide(EVENT_STORE, (get) => partsOf(get).events);
			registry.provide(CHECKPOINT_STORE, (get) => createPostgresCheckpointStore(deps(get)));
			registry.provide(LEASE_STORE, (get) => createPostgresLeaseStore(deps(get)));
			registry.provide(SNAPSHOT_STORE, (get) => {
				const { maxSnapshotBytes } = options;
				return createPostgresSnapshotStore({
					...deps(get),
					...(maxSnapshotBytes === undefined ? {} : { maxSnapshotBytes }),
				});
			});
		},
		async start(get) {
			const { pool, events } = partsOf(get);
			try {
				await checkServer(pool);
				if (options.migrate === false) await checkMigrated(pool, schema);
				else await migrate(pool, schema);
				await adoptServer(pool, schema, get(LOGGER));
			} catch (error) {
				await endPool(pool);
				throw error;
			}
			clock = get(CLOCK);
			events.open();
		},
		async appendWithin(...append) {
			if (parts === undefined) throw storeFault("closed", "storage-postgres is not started yet");
			return parts.events.appendWithin(...append);
		},
		async stop() {
			if (parts === undefined) return;
			await parts.events.close();
			await endPool(parts.pool);
		},
		async check() {
			if (parts === undefined || clock === undefined) return [];
			const { failing, degraded } = await checkHealth(parts.pool, schema, clock);
			const troubles = [degraded, ...parts.events.troubles()].filter((trouble) => trouble !== undefined);
			return [
				...(failing === undefined ? [] : [{ source: PLUGIN_NAME, message: failing }]),
				...troubles.map((message) => ({ source: PLUGIN_NAME, message, severity: "degraded" as const })),
			];
		},
	};
}

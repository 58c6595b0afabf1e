// Events and checkpoints of a schema without a composition: for who looks into a store, or moves one.

import { describeError, guardLogger, observe } from "@reelkeep/core";
import type { Clock, Logger } from "@reelkeep/core/ports";
import { createPostgresCheckpointStore, type PostgresCheckpointStore } from "./checkpoint-store.js";
import { createPostgresEventStore, type PostgresEventStore } from "./event-store.js";
import { waitForImports } from "./import-events.js";
import { DEFAULT_SCHEMA } from "./plugin.js";
import { type ConnectionOptions, checkConnections, createPool, LEAST_CONNECTIONS } from "./postgres-pool.js";
import { checkMigrated, checkSchemaName, migrate } from "./schema.js";
import { adoptServer, checkServer } from "./server.js";

export interface OpenPostgresStoresOptions extends ConnectionOptions {
	/** Default `reelkeep`. */
	readonly schema?: string;
	/** `read`: nothing is changed, so that the schema must be there. `write`: it is brought up to date. */
	readonly access: "read" | "write";
	readonly clock: Clock;
	readonly logger: Logger;
}

export interface PostgresStores {
	readonly events: PostgresEventStore;
	readonly checkpoints: PostgresCheckpointStore;
	close(): Promise<void>;
}

/**
 * *Errors*: rejects with a `RangeError` for a schema that is no name, or too few connections; with a `StoreFault`: `io` when
 * the server cannot be reached, `failed` when it is too old, loses what it was given, or the schema is another release's or
 * not there.
 */
export async function openPostgresStores(options: OpenPostgresStoresOptions): Promise<PostgresStores> {
	const { schema = DEFAULT_SCHEMA, access, clock } = options;
	checkSchemaName(schema);
	checkConnections("maxConnections", options.maxConnections, LEAST_CONNECTIONS);
	const logger = guardLogger(options.logger);
	const pool = createPool(options, (error) =>
		observe(() => logger.warn({ error: describeError(error) }, "a connection to PostgreSQL was lost")),
	);
	try {
		if (access === "read") await checkMigrated(pool, schema);
		else {
			await checkServer(pool);
			await migrate(pool, schema);
			await adoptServer(pool, schema, logger);
			await waitForImports(pool, schema);
		}
		const events = createPostgresEventStore({ pool, schema, clock, logger, hints: false });
		events.open();
		return {
			events,
			checkpoints: createPostgresCheckpointStore({ pool, schema }),
			async close() {
				await events.close();
				await pool.end();
			},
		};
	} catch (error) {
		await pool.end();
		throw error;
	}
}

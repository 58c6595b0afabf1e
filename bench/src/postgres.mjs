// Events in PostgreSQL, on a server made for one measurement, with the settings that initdb gives it, by a Unix socket: the peer,
// with a connection and a transaction for each append, and storage-postgres.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { silentLogger, systemClock } from "@reelkeep/core/container";
import pg from "pg";
// As built: the harness is of the other workspace.
import { postgresPrograms, startPostgres } from "../../packages/harness/dist/postgres.js";
import { createPostgresEventStore, migrate } from "../../packages/storage-postgres/dist/index.js";

export { startPostgres };
export const POSTGRES_SETTINGS = { fsync: "on", synchronous_commit: "on", others: "as initdb gives them" };

/** `undefined` where it is not installed. */
export function postgresVersion() {
	const programs = postgresPrograms();
	if (programs === undefined) return undefined;
	return execFileSync(join(programs, "postgres"), ["--version"], { encoding: "utf8" }).trim().split(" ")[2];
}

/** One connection for each producer. */
export async function openPostgresLog(producers) {
	const server = await startPostgres({ maxConnections: producers + 10 });
	const clients = [];
	for (let index = 0; index < producers; index += 1) {
		const client = new pg.Client({ connectionString: server.socketString });
		await client.connect();
		clients.push(client);
	}
	await clients[0].query(`CREATE TABLE events (
		position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, version integer NOT NULL, id text NOT NULL,
		type text NOT NULL, schema_version integer NOT NULL, data json NOT NULL, metadata json NOT NULL,
		recorded_at bigint NOT NULL, UNIQUE (stream, version))`);
	return {
		/** Whether the stream was new. */
		async append(stream, { id, type, schemaVersion, data, metadata }) {
			const client = clients.pop();
			try {
				const { rowCount } = await client.query({
					name: "append",
					text: "INSERT INTO events (stream, version, id, type, schema_version, data, metadata, recorded_at) VALUES ($1, 1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
					values: [
						stream,
						id,
						type,
						schemaVersion,
						JSON.stringify(data),
						JSON.stringify(metadata),
						Date.now(),
					],
				});
				return rowCount === 1;
			} finally {
				clients.push(client);
			}
		},
		async close() {
			await Promise.all(clients.map((client) => client.end()));
			await server.stop();
		},
	};
}

/** The product, on a pool of its own. */
export async function openPostgresStore(server, hints = true) {
	const pool = new pg.Pool({ connectionString: server.socketString });
	pool.on("error", () => undefined);
	await migrate(pool, "reelkeep");
	const store = createPostgresEventStore({
		pool,
		schema: "reelkeep",
		clock: systemClock,
		logger: silentLogger,
		hints,
	});
	store.open();
	return {
		store,
		append: async (stream, one) => (await store.append(stream, [one], "no-stream"))._tag === "Appended",
		async close() {
			await store.close();
			await pool.end();
		},
	};
}

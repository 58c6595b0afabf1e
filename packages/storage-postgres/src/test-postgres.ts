// What this package's tests share: one real server for each file, a schema for each test.

import { systemClock } from "@reelkeep/core/container";
import type { NewEvent, RecordedEvent } from "@reelkeep/core/ports";
import { postgresMissing, startPostgres, type TestPostgres } from "@reelkeep/harness/postgres";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { afterAll, beforeAll } from "vitest";
import { createPostgresEventStore, type PostgresEventStore } from "./event-store.js";
import { createPool, type PostgresPool } from "./postgres-pool.js";
import { migrate } from "./schema.js";

/** Why nothing can be tested here; `undefined`: it can. */
export const missing: string | undefined = postgresMissing();
if (missing !== undefined) {
	if (process.env.CI !== undefined) throw new Error(missing);
	console.warn(`storage-postgres is NOT tested: ${missing}`);
}

let serial = 0;
/** A schema that nobody else uses. */
export function newSchema(): string {
	serial += 1;
	return `test_${process.pid}_${Date.now().toString(36)}_${serial}`;
}

/** Starts a server before this file's tests, and stops it behind them. */
export function useServer(): { readonly server: () => TestPostgres } {
	let server: TestPostgres | undefined;
	beforeAll(async () => {
		if (missing === undefined) server = await startPostgres();
	}, 60_000);
	afterAll(() => server?.stop(), 60_000);
	return {
		server() {
			if (server === undefined) throw new Error(missing ?? "the server is not started yet");
			return server;
		},
	};
}

export function newPool({ connectionString }: TestPostgres, name = "reelkeep"): PostgresPool {
	return createPool({ connectionString: `${connectionString}?application_name=${name}` }, () => undefined);
}

/** An event of no meaning. */
export const noted = (id: string): NewEvent => ({
	id,
	type: "Noted",
	schemaVersion: 1,
	data: {},
	metadata: {},
});

export async function idsOf(events: AsyncIterable<RecordedEvent>): Promise<readonly string[]> {
	const ids: string[] = [];
	for await (const { id } of events) ids.push(id);
	return ids;
}

export interface Opened {
	readonly pool: PostgresPool;
	readonly store: PostgresEventStore;
	/** Ends the store and its connections. */
	end(): Promise<void>;
	/** What a `kill -9` of this store's process leaves: its connections are cut, and nothing of it is written any more. */
	kill(): Promise<void>;
}

/** A store with connections of its own. */
export async function openStore(
	server: TestPostgres,
	schema: string,
	options: Partial<Parameters<typeof createPostgresEventStore>[0]> = {},
): Promise<Opened> {
	const name = newSchema();
	const pool = newPool(server, name);
	await migrate(pool, schema);
	const store = createPostgresEventStore({
		pool,
		schema,
		clock: systemClock,
		logger: transcribingLogger(),
		...options,
	});
	store.open();
	let isKilled = false;
	const end = async (): Promise<void> => {
		if (!isKilled) await store.close();
		await pool.end();
	};
	const kill = async (): Promise<void> => {
		isKilled = true;
		await killConnections(server, pool, name);
	};
	return { pool, store, end, kill };
}

/** Cuts a pool's connections, named `name`, and lets it have no others; resolves when nothing of it runs any more. */
async function killConnections(server: TestPostgres, pool: PostgresPool, name: string): Promise<void> {
	const dead = (): never => {
		throw new Error("this process was killed");
	};
	Object.assign(pool, { connect: dead, query: dead });
	const killer = newPool(server);
	await killer.query({
		text: "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1",
		values: [name],
	});
	await killer.end();
}

/** A harness of a small store: each opening has connections of its own. */
export async function poolHarness<Store>(
	server: TestPostgres,
	create: (deps: { readonly pool: PostgresPool; readonly schema: string }) => Store,
) {
	const schema = newSchema();
	const admin = newPool(server);
	await migrate(admin, schema);
	let pool: PostgresPool | undefined;
	let name = "";
	const open = async (): Promise<Store> => {
		name = newSchema();
		pool = newPool(server, name);
		return create({ pool, schema });
	};
	return {
		schema,
		query: admin.query.bind(admin),
		open,
		async reopen(): Promise<Store> {
			await pool?.end();
			return open();
		},
		async crash(): Promise<Store> {
			if (pool !== undefined) await killConnections(server, pool, name);
			await pool?.end();
			return open();
		},
		async dispose(): Promise<void> {
			await pool?.end();
			await admin.end();
		},
	};
}

// Connections to PostgreSQL: the user's own pool, or one that is made here.

import pg from "pg";

/** A row as `pg` hands it out: `bigint` and `numeric` are text. */
export type Row = Readonly<Record<string, unknown>>;

export interface Statement {
	readonly text: string;
	readonly values?: readonly unknown[];
}

/** As much of a `pg.Client` as is used. */
export interface PostgresClient {
	query(statement: Statement): Promise<{ readonly rows: readonly Row[] }>;
}

/** A client that a pool has lent. */
export interface PooledClient extends PostgresClient {
	/** `true`: the connection is closed, because nobody knows what state it is in. */
	release(isBroken?: boolean): void;
	on(event: "notification", listener: (message: { readonly channel: string }) => void): unknown;
	on(event: "error", listener: (error: Error) => void): unknown;
	on(event: "end", listener: () => void): unknown;
	removeListener(event: "error", listener: (error: Error) => void): unknown;
	removeAllListeners(event: "notification"): unknown;
}

/** As much of a `pg.Pool` as is used. A `pg.Pool` is one. */
export interface PostgresPool extends PostgresClient {
	/** `max`: connections at most. */
	readonly options?: { readonly max?: number | string | undefined };
	connect(): Promise<PooledClient>;
	end(): Promise<void>;
}

export interface ConnectionOptions {
	/** `postgres://user:password@host:port/database`; without a password, `PGPASSWORD` and `~/.pgpass` are looked at. */
	readonly connectionString: string;
	/** Connections at most: three, or two without hints, and more. Default 10. */
	readonly maxConnections?: number;
}

/** A server that does not answer is given up after this; the outcome of what was asked is unknown then. */
const QUERY_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_CONNECTIONS = 10;
/** One more with hints. With fewer, what waits for a connection and what holds one may wait for each other. */
export const LEAST_CONNECTIONS = 2;

/** `most`: a text counts as the number that `pg` takes it for. *Errors*: throws a `RangeError` that names the option. */
export function checkConnections(name: string, most: number | string | undefined, least: number): void {
	if (most === undefined || (Number.isSafeInteger(Number(most)) && Number(most) >= least)) return;
	const hint = least > LEAST_CONNECTIONS ? `, or ${LEAST_CONNECTIONS} with hints: false` : "";
	throw new RangeError(`${name} must be ${least} or more${hint}`);
}

/** `onError`: told what happens to connections that nobody uses. */
export function createPool(options: ConnectionOptions, onError: (error: Error) => void): PostgresPool {
	const { connectionString, maxConnections = DEFAULT_CONNECTIONS } = options;
	const pool = new pg.Pool({
		connectionString,
		max: maxConnections,
		keepAlive: true,
		connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
		query_timeout: QUERY_TIMEOUT_MS,
		application_name: "reelkeep",
	});
	pool.on("error", onError);
	return pool;
}

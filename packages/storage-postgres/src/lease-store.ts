import {
	type AcquireResult,
	checkLeaseDuration,
	checkLeaseNames,
	checkLeasePrefix,
	type Lease,
	type LeaseStore,
	type RenewResult,
} from "@reelkeep/core/ports";
import { ask } from "./ask.js";
import type { PostgresPool, Row, Statement } from "./postgres-pool.js";
import { fromText, toText } from "./postgres-text.js";

/** The server's clock, in milliseconds, as it is now and not when the transaction began. */
const NOW = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** Makes the lease store of a schema that is there. Its clock is the server's. */
export function createPostgresLeaseStore(deps: {
	readonly pool: PostgresPool;
	readonly schema: string;
}): LeaseStore {
	const table = `${deps.schema}.leases`;
	const query = async (statement: Statement, doing: string): Promise<Row | undefined> =>
		(await ask(deps.pool, statement, doing))[0];
	/** The row as it is afterwards: ours, or the one of who holds it. One that lapses meanwhile is asked for again. */
	const acquire = async (name: string, owner: string, durationMs: number): Promise<AcquireResult> => {
		for (;;) {
			const values = [toText(name), toText(owner), durationMs];
			const granted = await query(
				{
					text: `INSERT INTO ${table} AS held (name, owner, fencing_token, expires_at) VALUES ($1, $2, 1, ${NOW} + $3)
						ON CONFLICT (name) DO UPDATE
						SET owner = excluded.owner, fencing_token = held.fencing_token + 1, expires_at = ${NOW} + $3
						WHERE held.owner = excluded.owner OR held.expires_at <= ${NOW}
						RETURNING fencing_token, expires_at`,
					values,
				},
				"taking a lease",
			);
			if (granted !== undefined) {
				const fencingToken = Number(granted.fencing_token);
				const expiresAt = Number(granted.expires_at);
				return { _tag: "Acquired", lease: Object.freeze({ name, owner, fencingToken, expiresAt }) };
			}
			const holder = await query(
				{
					text: `SELECT owner, expires_at FROM ${table} WHERE name = $1 AND expires_at > ${NOW}`,
					values: [toText(name)],
				},
				"looking at a lease",
			);
			if (holder !== undefined) {
				const expiresAt = Number(holder.expires_at);
				return { _tag: "Held", owner: fromText(String(holder.owner)), expiresAt };
			}
		}
	};
	/** The lease is ours when all of this fits and its time is not over. */
	const IS_HELD = `name = $1 AND owner = $2 AND fencing_token = $3 AND expires_at > ${NOW}`;
	const tellApart = ({ name, owner, fencingToken }: Lease) => [toText(name), toText(owner), fencingToken];
	return {
		async acquire(name, owner, durationMs) {
			checkLeaseNames(name, owner);
			checkLeaseDuration(durationMs);
			return acquire(name, owner, durationMs);
		},
		async renew(lease, durationMs): Promise<RenewResult> {
			checkLeaseDuration(durationMs);
			const renewed = await query(
				{
					text: `UPDATE ${table} SET expires_at = ${NOW} + $4 WHERE ${IS_HELD} RETURNING expires_at`,
					values: [...tellApart(lease), durationMs],
				},
				"renewing a lease",
			);
			if (renewed === undefined) return { _tag: "LeaseLost" };
			const { name, owner, fencingToken } = lease;
			const expiresAt = Number(renewed.expires_at);
			return { _tag: "Renewed", lease: Object.freeze({ name, owner, fencingToken, expiresAt }) };
		},
		async release(lease) {
			// The row stays, so that the next grant's token is higher.
			await query(
				{ text: `UPDATE ${table} SET expires_at = 0 WHERE ${IS_HELD}`, values: tellApart(lease) },
				"giving a lease back",
			);
		},
		async list(prefix) {
			checkLeasePrefix(prefix);
			// Half a surrogate pair is kept in other words than the pair whose beginning it is.
			const kept = prefix.replace(/[\ud800-\udbff]$/, "");
			const rows = await ask(
				deps.pool,
				{
					text: `SELECT name, owner, expires_at FROM ${table} WHERE starts_with(name, $1) AND expires_at > ${NOW}`,
					values: [toText(kept)],
				},
				"listing leases",
			);
			return rows
				.map((row) => ({
					name: fromText(String(row.name)),
					owner: fromText(String(row.owner)),
					expiresAt: Number(row.expires_at),
				}))
				.filter(({ name }) => name.startsWith(prefix));
		},
	};
}

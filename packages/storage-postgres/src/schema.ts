// The schema that holds the tables, and how its migrations stand in it.

import { createHash } from "node:crypto";
import { inTransaction } from "./in-transaction.js";
import { MIGRATIONS } from "./migrations.js";
import { refused, toFault } from "./postgres-fault.js";
import type { PostgresClient, PostgresPool } from "./postgres-pool.js";

/** Of the lock under which one process at a time migrates: of the schema, by its name. */
const LOCK_NAMESPACE = 0x7265656c;
/** PostgreSQL cuts names at 63 bytes, those of channels too, which begin with `reelkeep_`. */
const NAME = /^[a-z_][a-z0-9_]{0,53}$/;

/** *Shape*: a lower-case identifier. Throws a `RangeError`. */
export function checkSchemaName(schema: string): void {
	if (!NAME.test(schema)) {
		throw new RangeError("schema must be a lower-case name of letters, digits and _, at most 54 characters");
	}
}

/**
 * Brings the schema up to date, in one transaction, under a lock that ends with it: safe when many processes start at
 * once, and through a pooler.
 * *Errors*: rejects with a `StoreFault`: `failed` when the schema is a newer release's, or a migration was changed.
 */
export async function migrate(pool: PostgresPool, schema: string): Promise<void> {
	await inTransaction(pool, "bringing the schema up to date", async (client) => {
		await client.query({
			text: "SELECT pg_advisory_xact_lock($1, hashtext($2))",
			values: [LOCK_NAMESPACE, schema],
		});
		const applied = await appliedMigrations(client, schema);
		if (applied.length === 0) {
			await createSchema(client, schema);
			await client.query({
				text: `CREATE TABLE ${schema}.migrations (
					version integer PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
			});
		}
		checkApplied(applied, schema);
		for (const [index, sql] of MIGRATIONS.entries()) {
			if (index < applied.length) continue;
			await client.query({ text: sql.replaceAll("{schema}", schema) });
			await client.query({
				text: `INSERT INTO ${schema}.migrations (version, checksum) VALUES ($1, $2)`,
				values: [index + 1, checksumOf(sql)],
			});
		}
	});
}

/** One that somebody has made needs no right to make schemas. */
async function createSchema(client: PostgresClient, schema: string): Promise<void> {
	const { rows } = await client.query({
		text: "SELECT to_regnamespace($1) IS NOT NULL AS found",
		values: [schema],
	});
	if (rows[0]?.found !== true) await client.query({ text: `CREATE SCHEMA ${schema}` });
}

/** Without migrating: *Errors*: `failed` unless the schema is this release's. */
export async function checkMigrated(pool: PostgresPool, schema: string): Promise<void> {
	try {
		const applied = await appliedMigrations(pool, schema);
		checkApplied(applied, schema);
		if (applied.length < MIGRATIONS.length) {
			throw refused(
				`the schema ${schema} has ${applied.length} of ${MIGRATIONS.length} migrations: run them first, or let the start do it (migrate)`,
			);
		}
	} catch (error) {
		throw toFault(error, `looking at the schema ${schema}`);
	}
}

async function appliedMigrations(client: PostgresClient, schema: string): Promise<readonly string[]> {
	const table = `${schema}.migrations`;
	const found = await client.query({ text: "SELECT to_regclass($1) IS NOT NULL AS found", values: [table] });
	if (found.rows[0]?.found !== true) return [];
	const { rows } = await client.query({ text: `SELECT checksum FROM ${table} ORDER BY version` });
	return rows.map(({ checksum }) => String(checksum));
}

function checkApplied(applied: readonly string[], schema: string): void {
	if (applied.length > MIGRATIONS.length) {
		throw refused(`the schema ${schema} is of a newer Reelkeep: upgrade this one`);
	}
	const changed = applied.findIndex((checksum, index) => checksum !== checksumOf(MIGRATIONS[index] ?? ""));
	if (changed !== -1) {
		throw refused(`migration ${changed + 1} of the schema ${schema} is another one than this release's`);
	}
}

function checksumOf(sql: string): string {
	return createHash("sha256").update(sql).digest("hex");
}

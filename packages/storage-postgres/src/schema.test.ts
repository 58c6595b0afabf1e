import { isStoreFault } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { MIGRATIONS } from "./migrations.js";
import { checkMigrated, checkSchemaName, migrate } from "./schema.js";
import { missing, newPool, newSchema, useServer } from "./test-postgres.js";

const { server } = useServer();

test.each(["", "Upper", "a b", 'a"b', "1a", "a".repeat(55), "a;drop"])("%j is no schema", (name) => {
	expect(() => checkSchemaName(name)).toThrow(RangeError);
});

test.each(["reelkeep", "_a1", "a".repeat(54)])("%j is a schema", (name) => {
	expect(() => checkSchemaName(name)).not.toThrow();
});

describe.skipIf(missing !== undefined)("migrations", () => {
	test("are applied once when many processes start at once, and then left alone", async () => {
		const pools = Array.from({ length: 6 }, () => newPool(server()));
		const schema = newSchema();
		await Promise.all([...pools, ...pools].map((pool) => migrate(pool, schema)));
		const [pool] = pools;
		const applied = await pool?.query({ text: `SELECT version FROM ${schema}.migrations` });
		expect(applied?.rows).toEqual(MIGRATIONS.map((_, index) => ({ version: index + 1 })));
		for (const one of pools) {
			await checkMigrated(one, schema);
			await one.end();
		}
	});

	test("of a newer release are left alone, and told of", async () => {
		const pool = newPool(server());
		const schema = newSchema();
		await migrate(pool, schema);
		await pool.query({ text: `INSERT INTO ${schema}.migrations (version, checksum) VALUES (1000, 'x')` });
		for (const look of [migrate, checkMigrated]) {
			await expect(look(pool, schema)).rejects.toMatchObject({
				reason: "failed",
				retryable: false,
				message: expect.stringContaining("newer Reelkeep"),
			});
		}
		await pool.end();
	});

	test("that were changed are told of", async () => {
		const pool = newPool(server());
		const schema = newSchema();
		await migrate(pool, schema);
		await pool.query({ text: `UPDATE ${schema}.migrations SET checksum = 'another' WHERE version = 1` });
		await expect(migrate(pool, schema)).rejects.toMatchObject({
			reason: "failed",
			message: expect.stringContaining("migration 1 of the schema"),
		});
		await pool.end();
	});

	test("that nobody ran are asked for where the start must not run them", async () => {
		const pool = newPool(server());
		const schema = newSchema();
		const fault: unknown = await checkMigrated(pool, schema).catch((error: unknown) => error);
		expect(isStoreFault(fault) && fault.message).toContain("0 of 1 migrations");
		await pool.end();
	});

	test("need no right to make schemas where there is one", async () => {
		const admin = newPool(server());
		const [schema, role] = [newSchema(), newSchema()];
		await admin.query({ text: `CREATE ROLE ${role} LOGIN` });
		await admin.query({ text: `CREATE SCHEMA ${schema} AUTHORIZATION ${role}` });
		await admin.end();
		const { connectionString } = server();
		const pool = newPool({
			...server(),
			connectionString: connectionString.replace(/\/\/[^@]*@/, `//${role}@`),
		});
		await migrate(pool, schema);
		await checkMigrated(pool, schema);
		await expect(migrate(pool, newSchema())).rejects.toMatchObject({
			retryable: false,
			message: expect.stringContaining("grant this user the rights"),
		});
		await pool.end();
	});

	test("leave nothing when one of them fails", async () => {
		const pool = newPool(server());
		const schema = newSchema();
		await pool.query({ text: `CREATE SCHEMA ${schema}` });
		await pool.query({ text: `CREATE TABLE ${schema}.events (mine integer)` });
		await expect(migrate(pool, schema)).rejects.toMatchObject({ _tag: "StoreFault" });
		const { rows } = await pool.query({
			text: "SELECT table_name FROM information_schema.tables WHERE table_schema = $1",
			values: [schema],
		});
		expect(rows).toEqual([{ table_name: "events" }]);
		await pool.end();
	});
});

import { createMemoryKeyring } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import { EVENT_STORE, KEYRING, LEASE_STORE, type Plugin } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { sampleCallback } from "@reelkeep/testing";
import pg from "pg";
import { describe, expect, test, vi } from "vitest";
import { postgresStorage } from "./plugin.js";
import { missing, newPool, newSchema, useServer } from "./test-postgres.js";

const { server } = useServer();

const keyring = createMemoryKeyring();
/** Those that all processes have. */
const keys: Plugin = {
	name: "keys",
	provides: [KEYRING],
	needs: [],
	register: (registry) => registry.provide(KEYRING, () => keyring),
};

function compose(schema: string, options: Partial<Parameters<typeof postgresStorage>[0]> = {}) {
	const { connectionString } = server();
	const storage = postgresStorage({ connectionString, schema, ...options } as never);
	return createReelkeep({ plugins: [storage, keys], logger: transcribingLogger() });
}

const report = (track: string) => ({
	requestParam: JSON.stringify(sampleCallback({ track_info: track })),
	appKey: "12345678",
	metadata: { ingress: "http" },
});

test("a schema that is no name is refused at once", () => {
	expect(() => postgresStorage({ connectionString: "postgres://x", schema: "No" })).toThrow(RangeError);
});

test.each([
	[{ maxConnections: 2 }, "maxConnections must be 3 or more, or 2 with hints: false"],
	[{ maxConnections: 2.5, hints: false }, "maxConnections must be 2 or more"],
	[{ maxConnections: Number.NaN }, "maxConnections must be 3 or more"],
	[{ maxConnections: 1, hints: false }, "maxConnections must be 2 or more"],
])("too few connections are refused at once: %j", (options, message) => {
	expect(() => postgresStorage({ connectionString: "postgres://x", ...options })).toThrow(
		expect.objectContaining({ name: "RangeError", message: expect.stringContaining(message) }),
	);
});

test("a pool with too few connections is refused at once", async () => {
	const pool = new pg.Pool({ max: 1 });
	expect(() => postgresStorage({ pool })).toThrow(
		"max of the pool must be 3 or more, or 2 with hints: false",
	);
	expect(() => postgresStorage({ pool: new pg.Pool({ max: 2 }), hints: false })).not.toThrow();
	expect(() => postgresStorage({ pool: new pg.Pool({ max: "20" as never }) })).not.toThrow();
	await pool.end();
});

describe.skipIf(missing !== undefined)("postgresStorage", () => {
	test("keeps what is received, and a subscription in another process goes on where it was", async () => {
		const schema = newSchema();
		const first = compose(schema);
		await first.start();
		const heard: string[] = [];
		const subscription = first.subscribe("billing", async ({ data }) => {
			if ("trackInfo" in data) heard.push(String(data.trackInfo));
		});
		await first.receive(report("a"));
		await vi.waitFor(() => expect(heard).toEqual(["a"]));
		await subscription.stop?.();
		await first.stop();

		const second = compose(schema);
		await second.start();
		await second.receive(report("b"));
		second.subscribe("billing", async ({ data }) => {
			if ("trackInfo" in data) heard.push(String(data.trackInfo));
		});
		await vi.waitFor(() => expect(heard).toEqual(["a", "b"]));
		expect(await second.health.check()).toEqual([]);
		await second.stop();
	});

	test("answers a callback that comes to two processes at once as one recording", async () => {
		const schema = newSchema();
		const both = [compose(schema), compose(schema)];
		for (const one of both) await one.start();
		const outcomes = await Promise.all(
			Array.from({ length: 20 }, (_, index) => both[index % 2]?.receive(report("same"))),
		);
		expect(outcomes.map((outcome) => outcome?._tag).sort()).toEqual([
			...Array(19).fill("AlreadyReported"),
			"Reported",
		]);
		for (const one of both) await one.stop();
	});

	test("takes a pool of the user's, and leaves it open", async () => {
		const pool = new pg.Pool({ connectionString: server().connectionString });
		const reelkeep = compose(newSchema(), { pool });
		await reelkeep.start();
		expect((await reelkeep.receive(report("a")))._tag).toBe("Reported");
		await reelkeep.stop();
		expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
		await pool.end();
	});

	test("does not start where a server does not keep what it was given", async () => {
		const admin = newPool(server());
		await admin.query({ text: "CREATE ROLE careless LOGIN SUPERUSER" });
		await admin.query({ text: "ALTER ROLE careless SET synchronous_commit = off" });
		await admin.end();
		const connectionString = server().connectionString.replace(/\/\/[^@]*@/, "//careless@");
		await expect(compose(newSchema(), { connectionString }).start()).rejects.toMatchObject({
			_tag: "StoreFault",
			reason: "failed",
			message: expect.stringContaining("synchronous_commit is off"),
		});
	});

	test("says what to do when there is no server, and no password in it", async () => {
		const connectionString = "postgres://user:a-secret-password@127.0.0.1:1/none";
		const failure: unknown = await compose(newSchema(), { connectionString })
			.start()
			.catch((error: unknown) => error);
		expect(failure).toMatchObject({ _tag: "StoreFault", reason: "io", retryable: true });
		expect(String(failure)).not.toContain("a-secret");
	});

	test("refuses everything before its start and after its stop", async () => {
		const reelkeep = compose(newSchema());
		expect(await reelkeep.receive(report("a"))).toMatchObject({ _tag: "Unavailable" });
		await reelkeep.start();
		const store = reelkeep.get(EVENT_STORE);
		await reelkeep.stop();
		await expect(store.append("a", [], "any")).rejects.toBeInstanceOf(RangeError);
		await expect(store.readAll()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ reason: "closed" });
	});

	test("grants leases across processes", async () => {
		const schema = newSchema();
		const both = [compose(schema), compose(schema)];
		for (const one of both) await one.start();
		const [mine, yours] = await Promise.all(
			both.map((one, index) => one.get(LEASE_STORE).acquire("work", `owner-${index}`, 60_000)),
		);
		expect([mine?._tag, yours?._tag].sort()).toEqual(["Acquired", "Held"]);
		for (const one of both) await one.stop();
	});

	test("says what is wrong: a transaction that holds back the log, and a server that is gone", async () => {
		const reelkeep = compose(newSchema());
		await reelkeep.start();
		const pool = newPool(server());
		const client = await pool.connect();
		await client.query({ text: "BEGIN" });
		await client.query({ text: "SELECT pg_current_xact_id()" });
		expect(await reelkeep.health.check()).toEqual([]);
		client.release(true);
		await pool.end();
		if (server().isOwn) {
			await server().stop();
			expect(await reelkeep.health.check()).toContainEqual({
				source: "storage-postgres",
				message: expect.stringMatching(/^asking how it is: PostgreSQL /),
			});
			expect(await reelkeep.receive(report("a"))).toMatchObject({ _tag: "Unavailable", reason: "fault" });
		}
		await reelkeep.stop();
	});
});

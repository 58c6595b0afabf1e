// A transaction of the host's that holds a stream for long: what was appended together with that stream must not suffer.

import { describe, expect, test } from "vitest";
import { idsOf, missing, newSchema, noted, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();

describe.skipIf(missing !== undefined)("a stream that a transaction holds", () => {
	test("fails its own appends after a while, and no others", async () => {
		const { store, pool, end } = await openStore(server(), newSchema());
		const client = await pool.connect();
		await client.query({ text: "BEGIN" });
		await store.appendWithin(client, "held", [noted("h1")], "no-stream");
		const names = ["a", "held", "z"];
		const results = await Promise.allSettled(
			names.map((name) => store.append(name, [noted(`${name}1`)], "no-stream")),
		);
		expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
		expect(results[1]).toMatchObject({ reason: { _tag: "StoreFault", reason: "io", retryable: true } });
		await client.query({ text: "COMMIT" });
		client.release(false);
		expect(await store.append("held", [noted("h2")], "no-stream")).toEqual({
			_tag: "WrongExpectedVersion",
			actualVersion: 1,
		});
		expect([...(await idsOf(store.readAll()))].sort()).toEqual(["a1", "h1", "z1"]);
		await end();
	}, 30_000);
});

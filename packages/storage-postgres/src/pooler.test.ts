// Through a real PgBouncer that lends a connection for a transaction.

import { eventStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { pgBouncerMissing, startPgBouncer, type TestPgBouncer } from "@reelkeep/harness/pgbouncer";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { missing, newSchema, type Opened, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();
const absent = missing ?? pgBouncerMissing();
if (absent !== undefined) {
	if (process.env.CI !== undefined) throw new Error(absent);
	console.warn(`storage-postgres is NOT tested through a pooler: ${absent}`);
}

let pooler: TestPgBouncer | undefined;
beforeAll(async () => {
	if (absent === undefined) pooler = await startPgBouncer(server().connectionString);
}, 60_000);
afterAll(() => pooler?.stop());

const pooled = () => ({ ...server(), connectionString: pooler?.connectionString ?? "" });

const cases = eventStoreSuite(async () => {
	const schema = newSchema();
	let opened: Opened | undefined;
	return {
		async open() {
			await opened?.end();
			opened = await openStore(pooled(), schema, { hints: false });
			return opened.store;
		},
		dispose: async () => opened?.end(),
	};
});

describe.skipIf(absent !== undefined)("through PgBouncer", () => {
	describeConformance("the event store", cases, { skips: ["crash-events", "crash-batch"] });

	test("hints do not come, and the store says so and what to do", async () => {
		const { store, end } = await openStore(pooled(), newSchema());
		expect(store.troubles()).toEqual([]);
		await vi.waitFor(
			() =>
				expect(store.troubles()).toEqual([
					expect.stringMatching(
						/a pooler such as PgBouncer stands between; connect directly, or turn hints off/,
					),
				]),
			{ timeout: 15_000, interval: 100 },
		);
		await end();
	}, 20_000);
});

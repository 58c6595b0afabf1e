import { snapshotStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { describe } from "vitest";
import { toText } from "./postgres-text.js";
import { createPostgresSnapshotStore } from "./snapshot-store.js";
import { missing, poolHarness, useServer } from "./test-postgres.js";

const { server } = useServer();
const maxSnapshotBytes = 1024 * 1024;

const cases = snapshotStoreSuite(async () => {
	const harness = await poolHarness(server(), (deps) =>
		createPostgresSnapshotStore({ ...deps, maxSnapshotBytes }),
	);
	let turn = 0;
	return {
		...harness,
		maxSnapshotBytes,
		async damage(name) {
			turn += 1;
			// A digit of the hash, or a character of the state.
			const column = turn % 2 === 0 ? "sha256" : "snapshot";
			await harness.query({
				text: `UPDATE ${harness.schema}.snapshots
					SET ${column} = overlay(${column} placing chr(ascii(substr(${column}, place, 1)) # 1) FROM place)
					FROM (SELECT 1 + ($2 * 7) % least(length(${column}), 60) AS place FROM ${harness.schema}.snapshots WHERE name = $1) AS at
					WHERE name = $1`,
				values: [toText(name), turn],
			});
			return harness.reopen();
		},
	};
});

describe.skipIf(missing !== undefined)("PostgreSQL", () => {
	describeConformance("the snapshot store", cases, { skips: [] });
});

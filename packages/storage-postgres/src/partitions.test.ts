// The partitioning that docs/scaling.md tells users to do, done as it says.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { idsOf, missing, newSchema, noted, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();

describe.skipIf(missing !== undefined)("a new partition", () => {
	test("takes what is appended from then on, and everything is read across both", async () => {
		const schema = newSchema();
		const { store, pool, end } = await openStore(server(), schema);
		for (const [version, id] of ["1", "2"].entries()) await store.append("a", [noted(id)], version);
		const guide = readFileSync(new URL("../../../docs/scaling.md", import.meta.url), "utf8");
		const [, sql = ""] = /```sql\n([\s\S]+?)```/.exec(guide) ?? [];
		const [before = "", after = ""] = sql.replaceAll("reelkeep.", `${schema}.`).split(/^SELECT .*\\gset\n/m);
		const [, select = ""] = /^(SELECT .*) \\gset$/m.exec(sql.replaceAll("reelkeep.", `${schema}.`)) ?? [];
		const client = await pool.connect();
		await client.query({ text: before });
		const { rows } = await client.query({ text: select });
		await client.query({ text: after.replaceAll(":cut", String(rows[0]?.cut)) });
		client.release(false);

		await store.append("a", [noted("3")], 2);
		await store.append("b", [noted("4")], "no-stream");
		expect(await idsOf(store.read("a"))).toEqual(["1", "2", "3"]);
		expect(await idsOf(store.readAll())).toEqual(["1", "2", "3", "4"]);
		expect(await idsOf(store.readAll({ direction: "backward" }))).toEqual(["4", "3", "2", "1"]);
		const counts = await pool.query({
			text: `SELECT tableoid::regclass::text AS partition, count(*)::integer AS events FROM ${schema}.events GROUP BY 1 ORDER BY 1`,
		});
		expect(counts.rows).toEqual([
			{ partition: `${schema}.events_1`, events: 2 },
			{ partition: `${schema}.events_2`, events: 2 },
		]);
		await end();
	});
});

// What the port's suite has too few events for: events of certain types, however few they are among the others.

import type { NewEvent, ReadAllOptions, RecordedEvent } from "@reelkeep/core/ports";
import fc from "fast-check";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { idsOf, missing, newSchema, noted, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();
const EVENTS = 6_000;

/** A log of `EVENTS` events; of type `Rare` are those at `places`. */
async function given(places: readonly number[]) {
	const opened = await openStore(server(), newSchema());
	const events = Array.from(
		{ length: EVENTS },
		(_, at): NewEvent => ({ ...noted(`e-${at}`), type: places.includes(at) ? "Rare" : "Noted" }),
	);
	for (let at = 0; at < EVENTS; at += 60) {
		await opened.store.append(`s-${at}`, events.slice(at, at + 60), "no-stream");
	}
	return opened;
}

describe.skipIf(missing !== undefined)("events of certain types", () => {
	test("are read in their order, from anywhere, both ways, however far they are apart", async () => {
		const places = [
			0,
			1,
			2,
			63,
			64,
			700,
			1_023,
			1_024,
			1_025,
			5_100,
			...Array.from({ length: 90 }, (_, at) => 3_000 + at),
		];
		const { store, end } = await given([...places, EVENTS - 1]);
		const log: RecordedEvent[] = [];
		for await (const event of store.readAll()) log.push(event);
		const options = fc.record({
			direction: fc.constantFrom<"forward" | "backward">("forward", "backward"),
			after: fc.option(fc.nat({ max: EVENTS - 1 }), { nil: undefined }),
			limit: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
			types: fc.constantFrom<readonly string[]>(
				["Rare"],
				["Rare", "Another"],
				["Another"],
				["Noted", "Rare"],
			),
		});
		await fc.assert(
			fc.asyncProperty(options, async ({ direction, after, limit, types }) => {
				const isBackward = direction === "backward";
				const ordered = isBackward ? log.toReversed() : log;
				const start = after === undefined ? 0 : (isBackward ? EVENTS - 1 - after : after) + 1;
				const wanted = ordered.slice(start).filter(({ type }) => types.includes(type));
				const position = after === undefined ? undefined : log[after]?.position;
				const readOptions: ReadAllOptions = {
					direction,
					types,
					...(position === undefined ? {} : { after: position }),
					...(limit === undefined ? {} : { limit }),
				};
				expect(await idsOf(store.readAll(readOptions))).toEqual(
					wanted.slice(0, limit ?? wanted.length).map(({ id }) => id),
				);
			}),
			{ numRuns: 60 },
		);
		await end();
	});

	test("are looked for among so many others at a time that no statement takes long", async () => {
		const { pool, store, end } = await given([EVENTS - 1]);
		const reaches: unknown[] = [];
		const query = pool.query.bind(pool);
		pool.query = (statement) => {
			if (statement.text.includes("ahead")) reaches.push(statement.values?.[3]);
			return query(statement);
		};
		expect(await idsOf(store.readAll({ types: ["Rare"] }))).toEqual([`e-${EVENTS - 1}`]);
		expect(reaches).toEqual([1_024, 4_096, 16_384, 16_384]);
		expect(await idsOf(store.readAll({ types: [] }))).toEqual([]);
		expect(reaches).toHaveLength(4);
		await end();
	});
});

describe.skipIf(missing !== undefined)("a host that has made numbers of int8", () => {
	test("reads and appends with every digit of a position", async () => {
		pg.types.setTypeParser(pg.types.builtins.INT8, Number);
		const schema = newSchema();
		const { pool, store, end } = await openStore(server(), schema);
		// Positions beyond 2^53.
		await pool.query({ text: `UPDATE ${schema}.log SET transaction_offset = 2::bigint ^ 41` });
		const answers = [];
		for (const id of ["a", "b", "c"])
			answers.push(await store.append(id, [noted(id), noted(`${id}2`)], "no-stream"));
		const read = [];
		for await (const { position } of store.readAll({ types: ["Noted"] })) read.push(BigInt(position));
		const positions = answers.flatMap((answer) =>
			answer._tag === "Appended" ? [BigInt(answer.position)] : [],
		);
		expect(read).toEqual(positions.flatMap((position) => [position - 1n, position]));
		expect(await store.lastPosition()).toBe(String(positions.at(-1)));
		expect(await idsOf(store.readAll({ after: String(positions[0]) as never }))).toEqual([
			"b",
			"b2",
			"c",
			"c2",
		]);
		expect(positions.every((position) => position > 2n ** 60n)).toBe(true);
		await end();
	});
});

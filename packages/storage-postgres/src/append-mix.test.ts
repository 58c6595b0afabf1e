// Appends of all kinds that the server decides in one call, and one behind the other in a transaction of a host's, against
// a model: what each is told, and what is there afterwards.

import type { AppendResult, ExpectedVersion, NewEvent, StreamName } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { missing, newSchema, noted, type Opened, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();

interface Step {
	/** How far its stream is; 0: there is none. */
	readonly version: number;
	readonly expected: ExpectedVersion;
	readonly count: number;
	/** In a transaction: behind a savepoint that is rolled back to. */
	readonly isUndone: boolean;
}

const step = (isUndone: fc.Arbitrary<boolean>): fc.Arbitrary<Step> =>
	fc.record({
		version: fc.nat({ max: 3 }),
		expected: fc.oneof(
			fc.constant("any" as const),
			fc.constant("no-stream" as const),
			fc.integer({ min: 1, max: 4 }),
		),
		count: fc.integer({ min: 1, max: 3 }),
		isUndone,
	});

interface Named extends Step {
	readonly stream: StreamName;
}

const eventsOf = (stream: string, count: number, from = 0): readonly NewEvent[] =>
	Array.from({ length: count }, (_, at) => noted(`${stream}-${from + at + 1}`));

/** What the port says of an append to a stream that is so far; of its position nothing. */
function outcomeOf({ version, expected, count }: Step) {
	const isExpected = expected === "any" || (expected === "no-stream" ? 0 : expected) === version;
	return isExpected
		? { _tag: "Appended", version: version + count }
		: { _tag: "WrongExpectedVersion", actualVersion: version };
}

/** How far each stream is, by its events, which are looked at one by one. */
async function streamsOf({ store }: Opened) {
	const streams: Record<string, { version: number; position: string }> = {};
	let last = -1n;
	for await (const { stream, version, position, id } of store.readAll()) {
		expect(BigInt(position)).toBeGreaterThan(last);
		last = BigInt(position);
		expect([version, id]).toEqual([(streams[stream]?.version ?? 0) + 1, `${stream}-${version}`]);
		streams[stream] = { version, position };
	}
	return streams;
}

type Append = (opened: Opened, steps: readonly Named[]) => Promise<readonly AppendResult[]>;

/** Appends by `append`, each step to a stream of its own, and looks at what became of them all. */
async function lookAt(opened: Opened, schema: string, steps: readonly Step[], append: Append): Promise<void> {
	const { store, pool } = opened;
	const named = steps.map((each, at) => ({ ...each, stream: `s${at % 10}-${at}` }));
	for (const { stream, version } of named) {
		if (version > 0) await store.append(stream, eventsOf(stream, version), "no-stream");
	}
	const results = await append(opened, named);
	expect(results).toMatchObject(named.map(outcomeOf));
	// Answered when it is seen, and all before it.
	await store.append("end", [noted("end-1")], "no-stream");
	const streams = await streamsOf(opened);
	for (const [index, each] of named.entries()) {
		const result = results[index];
		const isThere = result?._tag === "Appended" && !each.isUndone;
		const version = each.version + (isThere ? each.count : 0);
		expect(streams[each.stream]?.version ?? 0).toBe(version);
		if (isThere) expect(streams[each.stream]?.position).toBe(result.position);
	}
	const { rows } = await pool.query({
		text: `SELECT stream, version::integer, position::text FROM ${schema}.streams`,
	});
	expect(
		Object.fromEntries(rows.map(({ stream, version, position }) => [stream, { version, position }])),
	).toEqual(streams);
}

async function check(one: fc.Arbitrary<Step>, append: Append): Promise<void> {
	const run = async (steps: readonly Step[]): Promise<void> => {
		const schema = newSchema();
		const opened = await openStore(server(), schema, { hints: false });
		try {
			await lookAt(opened, schema, steps, append);
		} finally {
			await opened.end();
		}
	};
	const steps = fc.array(one, { minLength: 1, maxLength: 12 });
	await fc.assert(fc.asyncProperty(steps, run), { numRuns: 40 });
}

describe.skipIf(missing !== undefined)("appends of all kinds", () => {
	test("that are decided in one call are each told what the port says", async () => {
		await check(step(fc.constant(false)), ({ store }, steps) =>
			Promise.all(
				steps.map(({ stream, count, version, expected }) =>
					store.append(stream, eventsOf(stream, count, version), expected),
				),
			),
		);
	});

	test("that follow each other in a transaction, with savepoints, are each told what the port says", async () => {
		await check(step(fc.boolean()), async ({ pool, store }, steps) => {
			const client = await pool.connect();
			const results: AppendResult[] = [];
			try {
				await client.query({ text: "BEGIN" });
				for (const { stream, count, version, expected, isUndone } of steps) {
					await client.query({ text: "SAVEPOINT before" });
					const events = eventsOf(stream, count, version);
					results.push(await store.appendWithin(client, stream, events, expected));
					await client.query({ text: `${isUndone ? "ROLLBACK TO" : "RELEASE"} SAVEPOINT before` });
				}
				await client.query({ text: "COMMIT" });
			} finally {
				// Whatever was not committed ends with the connection.
				client.release(true);
			}
			return results;
		});
	});
});

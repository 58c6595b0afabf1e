// What makes a log of many writers readable in order: nothing comes in before what was read.

import { setTimeout as pause } from "node:timers/promises";
import { followLog, silentLogger } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { comparePositions } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { idsOf, missing, newSchema, noted, type Opened, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();

/** Two processes' worth of stores, and a connection for transactions of the test's own. */
async function given() {
	const schema = newSchema();
	const one = await openStore(server(), schema);
	const other = await openStore(server(), schema);
	const client = await one.pool.connect();
	return {
		one: one.store,
		other: other.store,
		client,
		async end() {
			client.release(true);
			for (const { end } of [one, other] satisfies readonly Opened[]) await end();
		},
	};
}

describe.skipIf(missing !== undefined)("the log of many writers", () => {
	test("shows nothing of later appends while an earlier one is held open, then all in order", async () => {
		const { one, other, client, end } = await given();
		await one.append("before", [noted("before")], "no-stream");
		await client.query({ text: "BEGIN" });
		const slow = await one.appendWithin(client, "slow", [noted("slow-1"), noted("slow-2")], "no-stream");
		// Answered, because it is durable, though the log does not show it yet.
		const later = await other.append("later", [noted("later")], "no-stream");
		expect(later._tag).toBe("Appended");
		expect(await idsOf(other.read("later"))).toEqual(["later"]);
		expect(await idsOf(other.readAll())).toEqual(["before"]);
		expect(await idsOf(one.readAll({ direction: "backward", limit: 1 }))).toEqual(["before"]);
		for (const direction of ["forward", "backward"] as const) {
			expect(await idsOf(other.readAll({ types: ["Noted"], direction }))).toEqual(["before"]);
			expect(await idsOf(other.readAll({ types: ["Noted"], direction, limit: 1 }))).toEqual(["before"]);
		}
		await client.query({ text: "COMMIT" });
		expect(await idsOf(other.readAll())).toEqual(["before", "slow-1", "slow-2", "later"]);
		expect(slow).toMatchObject({ _tag: "Appended", version: 2 });
		await end();
	});

	test("shows a reader of certain types nothing of later appends, nor passes over what comes before them", async () => {
		const { one, other, client, end } = await given();
		await one.append("before", [noted("before")], "no-stream");
		await client.query({ text: "BEGIN" });
		await one.appendWithin(client, "slow", [noted("slow-1"), noted("slow-2")], "no-stream");
		// More than a statement looks through at first.
		const later = Array.from({ length: 20 }, (_, stream) =>
			Array.from({ length: 60 }, (_, at) => noted(`later-${stream}-${at}`)),
		);
		await Promise.all(later.map((events, stream) => other.append(`later-${stream}`, events, "no-stream")));
		const types = ["Noted"];
		const readings = (["forward", "backward"] as const).map((direction) =>
			other.readAll({ types, direction })[Symbol.asyncIterator](),
		);
		for (const reading of readings) expect((await reading.next()).value?.id).toBe("before");
		await client.query({ text: "COMMIT" });
		const [forward, backward] = await Promise.all(
			readings.map((reading) => idsOf({ [Symbol.asyncIterator]: () => reading })),
		);
		expect(forward?.slice(0, 2)).toEqual(["slow-1", "slow-2"]);
		expect([forward?.length, backward]).toEqual([2 + 20 * 60, []]);
		await end();
	});

	test("shows later appends once an earlier one is rolled back", async () => {
		const { one, other, client, end } = await given();
		await client.query({ text: "BEGIN" });
		await one.appendWithin(client, "slow", [noted("slow")], "no-stream");
		await other.append("later", [noted("later")], "no-stream");
		await client.query({ text: "ROLLBACK" });
		expect(await idsOf(other.readAll())).toEqual(["later"]);
		await end();
	});

	test("keeps the order of a stream when a transaction that began later was faster", async () => {
		const { one, other, client, end } = await given();
		await one.append("a", [noted("1")], "no-stream");
		await client.query({ text: "BEGIN" });
		// It has its transaction id from here on.
		await one.appendWithin(client, "unrelated", [noted("u")], "no-stream");
		await other.append("a", [noted("2")], 1);
		await expect(one.appendWithin(client, "a", [noted("3")], "any")).rejects.toMatchObject({
			_tag: "StoreFault",
			reason: "overloaded",
			retryable: true,
		});
		await expect(one.appendWithin(client, "a", [noted("3")], 1)).resolves.toEqual({
			_tag: "WrongExpectedVersion",
			actualVersion: 2,
		});
		await client.query({ text: "ROLLBACK" });
		await client.query({ text: "BEGIN" });
		await one.appendWithin(client, "a", [noted("3")], "any");
		await one.appendWithin(client, "a", [noted("4"), noted("5")], 3);
		await client.query({ text: "COMMIT" });
		expect(await idsOf(one.read("a"))).toEqual(["1", "2", "3", "4", "5"]);
		expect(await idsOf(one.readAll())).toEqual(["1", "2", "3", "4", "5"]);
		await end();
	});

	test("is read in one order by who follows it, whatever is held open, committed and rolled back", async () => {
		const { one, other, client, end } = await given();
		const seen: string[] = [];
		const stopping = new AbortController();
		const following = (async () => {
			const deps = { store: one, clock: systemClock, logger: silentLogger };
			const options = { signal: stopping.signal, pollIntervalMs: 1 };
			for await (const followed of followLog(deps, options)) {
				if (followed._tag === "Event") seen.push(followed.event.id);
			}
		})();
		const step = fc.record({
			isHeld: fc.boolean(),
			isCommitted: fc.boolean(),
			streams: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }),
		});
		let serial = 0;
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
				for (const { isHeld, isCommitted, streams } of steps) {
					if (isHeld) {
						await client.query({ text: "BEGIN" });
						await one.appendWithin(client, `held-${serial}`, [noted(`e-${serial++}`)], "no-stream");
					}
					await Promise.all(
						streams.map((stream, index) =>
							(index % 2 === 0 ? one : other).append(`s-${stream}`, [noted(`e-${serial++}`)], "any"),
						),
					);
					if (isHeld) await client.query({ text: isCommitted ? "COMMIT" : "ROLLBACK" });
				}
			}),
			{ numRuns: 3 },
		);
		const log = await idsOf(one.readAll());
		await expect.poll(() => seen.length).toBe(log.length);
		stopping.abort();
		await following;
		expect(seen).toEqual(log);
		await end();
	});

	test("shows what was answered, while transactions of others begin and end", async () => {
		const { one, other, client, end } = await given();
		const append = async (store: typeof one, stream: string): Promise<void> => {
			const appended = await store.append(stream, [noted(stream)], "no-stream");
			if (appended._tag !== "Appended") throw new Error("the stream was there already");
			const { value: newest } = await one
				.readAll({ direction: "backward", limit: 1 })
				[Symbol.asyncIterator]()
				.next();
			expect(comparePositions(newest.position, appended.position)).toBeGreaterThanOrEqual(0);
		};
		const producers = Array.from({ length: 40 }, async (_, producer) => {
			for (let nth = 0; nth < 20; nth += 1) {
				await append(producer % 4 === 0 ? other : one, `s-${producer}-${nth}`);
			}
		});
		for (let turn = 0; turn < 20; turn += 1) {
			await client.query({ text: "BEGIN" });
			if (turn % 3 === 0) await client.query({ text: "SELECT pg_current_xact_id()" });
			else await one.appendWithin(client, `held-${turn}`, [noted(`held-${turn}`)], "no-stream");
			await pause(3);
			await client.query({ text: turn % 2 === 0 ? "COMMIT" : "ROLLBACK" });
		}
		await Promise.all(producers);
		await end();
	});

	test("is not held up by who only reads for long", async () => {
		const { one, client, end } = await given();
		await client.query({ text: "BEGIN ISOLATION LEVEL REPEATABLE READ" });
		await client.query({ text: "SELECT count(*) FROM pg_class" });
		await one.append("a", [noted("a")], "no-stream");
		expect(await idsOf(one.readAll())).toEqual(["a"]);
		await pause(0);
		await end();
	});
});

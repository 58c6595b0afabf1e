// A server that is restarted, or crashes, while many append.

import { setTimeout as pause } from "node:timers/promises";
import { isStoreFault, type NewEvent } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { missing, newSchema, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();
const PRODUCERS = 16;
const EACH = 60;

describe.skipIf(missing !== undefined).sequential("under load", () => {
	test.each([
		["restarted", () => server().restart()],
		["killed", () => server().kill()],
	])(
		"a server that is %s loses nothing that was answered, and what was not can be sent again",
		async (_, end) => {
			const { store, end: close } = await openStore(server(), newSchema());
			const answered = new Set<string>();
			const faults: unknown[] = [];
			const produce = async (producer: number): Promise<void> => {
				for (let index = 0; index < EACH; index += 1) {
					const id = `e-${producer}-${index}`;
					const event: NewEvent = { id, type: "Noted", schemaVersion: 1, data: {}, metadata: {} };
					for (;;) {
						try {
							await store.append(`s-${id}`, [event], "no-stream");
							break;
						} catch (error) {
							faults.push(error);
							await pause(20);
						}
					}
					answered.add(id);
				}
			};
			const producing = Promise.all(Array.from({ length: PRODUCERS }, (__, producer) => produce(producer)));
			await expect.poll(() => answered.size, { timeout: 20_000 }).toBeGreaterThan(PRODUCERS);
			if (server().isOwn) await end();
			await producing;
			expect(faults.length).toBeGreaterThan(server().isOwn ? 0 : -1);
			for (const fault of faults) {
				expect(isStoreFault(fault) && fault.retryable && fault.reason === "io").toBe(true);
			}
			const ids: string[] = [];
			for await (const event of store.readAll()) ids.push(event.id);
			expect(ids.length).toBe(answered.size);
			expect(new Set(ids)).toEqual(answered);
			await close();
		},
		60_000,
	);

	test("hints come again once the server is there again", async () => {
		const schema = newSchema();
		const [one, other] = [await openStore(server(), schema), await openStore(server(), schema)];
		let hints = 0;
		other.store.onAppended(() => {
			hints += 1;
		});
		const append = (id: string) =>
			one.store.append(id, [{ id, type: "Noted", schemaVersion: 1, data: {}, metadata: {} }], "no-stream");
		const hintAfter = async (id: string): Promise<void> => {
			const before = hints;
			await append(id);
			await expect.poll(() => hints, { timeout: 10_000 }).toBeGreaterThan(before);
		};
		await hintAfter("a");
		if (server().isOwn) {
			await server().restart();
			await expect.poll(() => other.store.troubles(), { timeout: 10_000 }).toEqual([]);
		}
		await hintAfter("b");
		await one.end();
		await other.end();
	}, 60_000);
});

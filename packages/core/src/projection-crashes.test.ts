// Every life of a projection ends in the middle of something here: its last save is lost, or is done and not answered.

import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { JsonObject, Snapshot } from "./ports/index.js";
import { storeFault } from "./ports/index.js";
import { given, type Ids, passes } from "./test-projection.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 0 }));
afterEach(() => vi.useRealTimers());

/** Changes the state that it is given: what is saved of it must be what it was at that moment. */
const inPlace = {
	evolve: ({ ids }: Ids, { id }: { readonly id: string }) => {
		(ids as string[]).push(id);
		return { ids };
	},
	evolveUnknown: ({ ids }: Ids, { id, type }: { readonly id: string; readonly type: string }) => {
		(ids as string[]).push(`${type} ${id}`);
		return { ids };
	},
};

const step = fc.oneof(
	fc.record({
		_tag: fc.constant("Append" as const),
		count: fc.integer({ min: 1, max: 12 }),
		isKnown: fc.boolean(),
	}),
	fc.record({ _tag: fc.constant("Pass" as const), ms: fc.nat({ max: 3_000 }) }),
	fc.record({ _tag: fc.constant("Crash" as const), isLost: fc.boolean() }),
	fc.constant({ _tag: "Stop" as const }),
	fc.constant({ _tag: "Mend" as const }),
);

test("whatever crashes, a state holds each event once, and what is saved is a state with its own place", async () => {
	let crashes = 0;
	let behind = 0;
	await fc.assert(
		fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
			let isDead = false;
			let isLost = false;
			const { append, start, kept, memory } = given({
				snapshots: () => ({
					async save(name, snapshot) {
						const taken = JSON.stringify(snapshot);
						// Meanwhile more may come.
						await new Promise((resolve) => setTimeout(resolve, 3));
						if (isDead && isLost) throw storeFault("failed", "dead");
						const result = await kept.save(name, JSON.parse(taken) as Snapshot);
						if (isDead) throw storeFault("failed", "dead");
						return result;
					},
				}),
			});
			let version = 1;
			const begin = () => start({ ...inPlace, version }, { saveEveryEvents: 3, saveEveryMs: 500 });
			const log = async (): Promise<readonly string[]> => {
				const ids: string[] = [];
				for await (const { id, type } of memory.readAll()) {
					ids.push(type === "LogRepaired" ? id : `unknown:${type} ${id}`);
				}
				return ids;
			};
			let projection = begin();
			const end = async (): Promise<void> => {
				await Promise.all([projection.stop(), passes(10)]);
				expect(projection.problem()).toBeUndefined();
			};
			for (const each of steps) {
				if (each._tag === "Append") await append(each.count, each.isKnown ? "LogRepaired" : "VideoErased");
				else if (each._tag === "Pass") await passes(each.ms);
				else {
					isDead = each._tag === "Crash";
					isLost = each._tag === "Crash" && each.isLost;
					if (isDead) crashes += 1;
					await end();
					isDead = false;
					if (each._tag === "Mend") version += 1;
					projection = begin();
				}
				const saved = await kept.load("ids");
				if (saved === undefined) continue;
				if (saved.position !== projection.position()) behind += 1;
				const { ids } = saved.state as JsonObject;
				expect(ids).toEqual((await log()).slice(0, Number(saved.position)));
			}
			await Promise.all([projection.whenCaughtUp(), passes(5_000)]);
			expect(projection.state().ids).toEqual(await log());
			await end();
			const rebuilt = start({ ...inPlace, name: "rebuilt" });
			await Promise.all([rebuilt.whenCaughtUp(), passes(100)]);
			expect(rebuilt.state()).toEqual(projection.state());
			await Promise.all([rebuilt.stop(), passes(10)]);
		}),
		{ numRuns: 200 },
	);
	expect(crashes).toBeGreaterThan(100);
	expect(behind).toBeGreaterThan(100);
});

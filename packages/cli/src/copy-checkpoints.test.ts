import { createMemoryCheckpointStore } from "@reelkeep/core";
import { comparePositions, type Position, toPosition } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeCheckpoints, saveCheckpoints } from "./copy-checkpoints.js";

const at = (position: number | bigint): Position => toPosition(position);
const named = (positions: Readonly<Record<string, number>>) =>
	Object.entries(positions).map(([name, position]) => ({ name, position: at(position) }));

describe("checkpoints of a copy that exists already", () => {
	test("never move backward: who runs on the copy keeps its place", async () => {
		const store = createMemoryCheckpointStore();
		await store.save("ahead", at(9), undefined);
		await store.save("behind", at(1), undefined);
		await store.save("there", at(5), undefined);
		const report = await saveCheckpoints(store, named({ ahead: 5, behind: 5, there: 5, unknown: 5 }));
		expect(report).toEqual({ count: 4, moved: 2, ahead: ["ahead"] });
		expect(await store.load("ahead")).toBe("9");
		expect(await store.load("behind")).toBe("5");
		expect(await store.load("unknown")).toBe("5");
	});

	test("are an error when somebody moves them meanwhile", async () => {
		const store = createMemoryCheckpointStore();
		const racing: typeof store = {
			...store,
			async load(name) {
				const position = await store.load(name);
				await store.save(name, at(3), position);
				return position;
			},
		};
		await expect(saveCheckpoints(racing, named({ a: 5 }))).rejects.toMatchObject({ _tag: "StoreFault" });
	});
});

describe("the place of a checkpoint", () => {
	test("is 0 where nothing was finished, and the last event where more was", () => {
		const places = placeCheckpoints(named({ zero: 0, before: 4, past: 99 }));
		places.pass(at(5), at(1_000));
		places.pass(at(8), at(1_001));
		expect(places.places()).toEqual([
			{ name: "zero", position: "0" },
			{ name: "before", position: "0" },
			{ name: "past", position: "1001" },
		]);
		expect(placeCheckpoints(named({ a: 3 })).places()).toEqual([{ name: "a", position: "0" }]);
	});

	test("is that of the last event at or before it, in any two logs", () => {
		const steps = fc.array(fc.tuple(fc.bigInt(1n, 50n), fc.bigInt(1n, 2n ** 40n)), { maxLength: 40 });
		fc.assert(
			fc.property(steps, fc.array(fc.bigInt(0n, 2_100n), { maxLength: 10 }), (gaps, positions) => {
				let [source, copy] = [0n, 0n];
				const pairs = gaps.map(([one, other]) => {
					source += one;
					copy += other;
					return [at(source), at(copy)] as const;
				});
				const places = placeCheckpoints(
					positions.map((position, index) => ({ name: String(index), position: at(position) })),
				);
				for (const [one, other] of pairs) places.pass(one, other);
				const found = new Map(places.places().map(({ name, position }) => [name, position]));
				for (const [index, position] of positions.entries()) {
					const last = pairs.filter(([one]) => comparePositions(one, at(position)) <= 0).at(-1);
					expect(found.get(String(index))).toBe(last?.[1] ?? "0");
				}
				expect(found.size).toBe(positions.length);
			}),
		);
	});
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Snapshot, storeFault, toPosition } from "./ports/index.js";
import { given, idsProjection, idsUpTo, passes } from "./test-projection.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => vi.useRealTimers());

describe("a snapshot", () => {
	/** What a projection saved that saw `count` events. */
	async function savedAfter(count: number) {
		const made = given();
		await made.append(count);
		await made.start().stop();
		const whole = made.start();
		await whole.whenCaughtUp();
		await whole.stop();
		const snapshot = (await made.kept.load("ids")) as Snapshot;
		return { ...made, snapshot };
	}
	/** What is folded, and which events are read for that. */
	async function foldedBy(made: ReturnType<typeof given>, definition: Parameters<typeof made.start>[0] = {}) {
		const folded: string[] = [];
		const projection = made.start({
			...definition,
			evolve(state, event) {
				folded.push(event.id);
				return idsProjection.evolve(state, event);
			},
		});
		await projection.whenCaughtUp();
		await projection.stop();
		return { folded, ids: projection.state().ids };
	}

	test("spares a start what is folded already", async () => {
		const made = await savedAfter(3);
		await made.append(2);
		expect(await foldedBy(made)).toEqual({ folded: ["e4", "e5"], ids: idsUpTo(5) });
		expect(made.logged).toEqual([]);
	});

	test("of another version is rebuilt", async () => {
		const made = await savedAfter(3);
		expect((await foldedBy(made, { version: 2 })).folded).toEqual(idsUpTo(3));
		expect(await made.kept.load("ids")).toMatchObject({ version: 2, position: "3" });
		expect(made.logged).toMatchObject([{ why: "it was saved by another version" }]);
	});

	test.each<[string, (snapshot: Snapshot) => Partial<Snapshot>]>([
		[
			"behind the end of the log",
			() => ({ position: toPosition(9), previous: toPosition(8), eventId: "e9" }),
		],
		["of a log that took the place of this one", () => ({ eventId: "another" })],
		["whose last event stands elsewhere", () => ({ previous: toPosition(1) })],
		["whose state makes no sense", () => ({ state: ["no"] })],
	])("%s is thrown away and rebuilt, and that is said without what it holds", async (_what, change) => {
		const made = await savedAfter(3);
		await made.kept.save("ids", { ...made.snapshot, ...change(made.snapshot) });
		expect(await foldedBy(made)).toEqual({ folded: idsUpTo(3), ids: idsUpTo(3) });
		expect(made.logged).toMatchObject([
			{ projection: "ids", message: "a projection is rebuilt from the log" },
		]);
		expect(JSON.stringify(made.logged)).not.toContain("secret");
		expect(await made.kept.load("ids")).toEqual(made.snapshot);
	});

	test("that cannot be loaded is rebuilt", async () => {
		const made = given({
			snapshots: () => ({ load: () => Promise.reject(storeFault("io", "no disk")) }),
		});
		await made.append(2);
		expect((await foldedBy(made)).folded).toEqual(idsUpTo(2));
	});

	test("that cannot be saved stops nothing, and is tried again when the next one is due", async () => {
		let isBroken = true;
		const made = given({
			snapshots: (snapshots) => ({
				save: (...args) => (isBroken ? Promise.reject(storeFault("io", "full")) : snapshots.save(...args)),
			}),
		});
		const projection = made.start({}, { saveEveryEvents: 1, saveEveryMs: 1000 });
		await passes(1000);
		await made.append(1);
		await passes(0);
		expect(made.logged).toMatchObject([{ error: "StoreFault io: full" }]);
		await passes(999);
		isBroken = false;
		expect(made.saves).toEqual([]);
		await passes(1001);
		expect(made.saves).toEqual(["1"]);
		expect(projection.problem()).toBeUndefined();
		await projection.stop();
	});

	test("that is too large is not tried again and again", async () => {
		let tries = 0;
		const made = given({
			snapshots: () => ({
				async save() {
					tries += 1;
					return { _tag: "TooLarge", bytes: 11, maxBytes: 10 };
				},
			}),
		});
		const projection = made.start({}, { saveEveryEvents: 1, saveEveryMs: 0 });
		for (let round = 0; round < 3; round += 1) {
			await made.append(1);
			await passes(500);
		}
		await projection.stop();
		expect(tries).toBe(1);
		expect(made.logged).toMatchObject([{ bytes: 11, maxBytes: 10 }]);
		expect(projection.state().ids).toEqual(idsUpTo(3));
	});

	test("is saved after so many events, not more often than so long, and at the stop", async () => {
		const { append, start, saves } = given();
		const projection = start({}, { saveEveryEvents: 3, saveEveryMs: 10_000 });
		await append(10);
		await passes(9_000);
		expect(saves).toEqual([]);
		await passes(1_000);
		expect(saves).toEqual(["10"]);
		await append(2);
		await passes(60_000);
		expect(saves).toEqual(["10"]);
		await append(1);
		await passes(500);
		expect(saves).toEqual(["10", "13"]);
		await append(1);
		await passes(500);
		await projection.stop();
		expect(saves).toEqual(["10", "13", "14"]);
		const idle = start();
		await idle.whenCaughtUp();
		await idle.stop();
		expect(saves).toHaveLength(3);
	});

	test("holds the state and the place that belong together, whatever happens while it is written", async () => {
		const made = given({
			snapshots: (snapshots) => ({
				async save(...args) {
					await made.append(1);
					await made.deps.clock.sleep(700);
					return snapshots.save(...args);
				},
			}),
		});
		await made.append(1);
		const projection = made.start({}, { saveEveryEvents: 1, saveEveryMs: 0 });
		for (let round = 0; round < 10; round += 1) {
			await passes(700);
			const saved = await made.kept.load("ids");
			if (saved !== undefined)
				expect((saved.state as { ids: string[] }).ids).toEqual(idsUpTo(Number(saved.position)));
		}
		expect(made.saves.length).toBeGreaterThan(3);
		await Promise.all([projection.stop(), passes(5000)]);
	});
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createMemoryEventStore } from "./memory/event-store.js";
import { type Snapshot, storeFault, toPosition } from "./ports/index.js";
import { createProjection, foldProjection } from "./projection.js";
import { isProjectionError } from "./projection-error.js";
import { given, idsProjection, passes } from "./test-projection.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => vi.useRealTimers());

const idsUpTo = (last: number): readonly string[] =>
	Array.from({ length: last }, (_, index) => `e${index + 1}`);

describe("a projection whose evolve throws", () => {
	const evolve: (typeof idsProjection)["evolve"] = (state, event) => {
		if (event.id === "e3") throw new Error("https://secret.example.com/720p.mp4?Signature=x");
		return idsProjection.evolve(state, event);
	};

	test("stops at that event, skips nothing, and says where and which without its data", async () => {
		const { append, start, logged } = given();
		await append(5);
		const projection = start({ evolve });
		await expect(projection.whenCaughtUp()).rejects.toThrow("stopped at position 3");
		const error: unknown = await projection.ended.catch((reason: unknown) => reason);
		expect(isProjectionError(error)).toBe(true);
		expect(error).toMatchObject({
			_tag: "ProjectionError",
			projection: "ids",
			position: "3",
			eventId: "e3",
			cause: { message: expect.stringContaining("Signature") },
		});
		expect(projection.state().ids).toEqual(["e1", "e2"]);
		expect(projection.position()).toBe("2");
		expect(projection.problem()).toBe(
			"projection ids stopped at position 3: event e3 of type LogRepaired cannot be folded in (Error)",
		);
		expect(logged).toMatchObject([{ projection: "ids", problem: projection.problem() }]);
		expect(JSON.stringify(logged)).not.toContain("secret");
		await append(1);
		await passes(60_000);
		expect(projection.position()).toBe("2");
	});

	test("saves nothing any more: what it was given may be half changed", async () => {
		const { append, start, saves } = given();
		await append(5);
		const projection = start({ evolve });
		await expect(projection.ended).rejects.toThrow();
		await projection.stop();
		expect(saves).toEqual([]);
	});

	test("goes on once it is mended, from the snapshot before", async () => {
		const { append, start } = given();
		await append(2);
		await start().stop();
		await append(3);
		await expect(start({ evolve }).ended).rejects.toThrow();
		const mended = start();
		await mended.whenCaughtUp();
		expect(mended.state().ids).toEqual(idsUpTo(5));
		await mended.stop();
	});
});

describe("what does not make sense is refused at once:", () => {
	test.each([
		[{ name: "" }, {}, TypeError],
		[{ name: "x".repeat(257) }, {}, TypeError],
		[{ version: 1.5 }, {}, RangeError],
		[{ version: -1 }, {}, RangeError],
		[{}, { saveEveryEvents: 0 }, RangeError],
		[{}, { saveEveryMs: Number.NaN }, RangeError],
	])("%j %j", (definition, options, kind) => {
		expect(() => given().start(definition, options)).toThrow(kind);
	});

	test("snapshots without a codec", () => {
		const { deps } = given();
		const { codec, ...bare } = idsProjection;
		expect(codec).toBeDefined();
		expect(() => createProjection(deps, bare)).toThrow(/only with a codec/);
		const { snapshots, ...unsaved } = deps;
		expect(snapshots).toBeDefined();
		void createProjection(unsaved, bare).stop();
	});
});

describe("a log that cannot be read", () => {
	test("is waited for while that may pass", async () => {
		let failures = 2;
		const { append, start } = given({
			store: (store) => ({
				readAll(options) {
					if (options?.limit === undefined && failures-- > 0) throw storeFault("io", "no disk");
					return store.readAll(options);
				},
			}),
		});
		await append(3);
		const projection = start();
		await passes(1999);
		expect(projection.state().ids).toEqual([]);
		await passes(1);
		expect(projection.state().ids).toEqual(idsUpTo(3));
		await projection.stop();
	});

	test("ends it for good when that will not pass, and is told", async () => {
		const { append, start } = given({
			store: (store) => ({
				readAll(options) {
					if (options?.limit === undefined) throw storeFault("corrupt", "segment 1 is damaged");
					return store.readAll(options);
				},
			}),
		});
		await append(1);
		const projection = start();
		await expect(projection.whenCaughtUp()).rejects.toMatchObject({ reason: "corrupt" });
		expect(projection.problem()).toBe("projection ids ended: StoreFault corrupt: segment 1 is damaged");
	});

	test("ends it quietly when the store was closed", async () => {
		const { memory, append, start } = given();
		await append(1);
		const projection = start();
		await projection.whenCaughtUp();
		await memory.close();
		await passes(1000);
		await projection.ended;
		expect(projection.problem()).toBeUndefined();
	});
});

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

describe("a projection", () => {
	test("folds what is there, then what comes", async () => {
		const { append, start } = given();
		await append(3);
		const projection = start();
		await projection.whenCaughtUp();
		expect([projection.state().ids, projection.position()]).toEqual([idsUpTo(3), "3"]);
		await append(1);
		await projection.whenCaughtUp();
		expect(projection.state().ids).toEqual(idsUpTo(4));
		await projection.stop();
		await projection.stop();
		await append(1);
		await passes(1000);
		expect(projection.state().ids).toEqual(idsUpTo(4));
	});

	test("is caught up with an empty log, and once it was stopped", async () => {
		const { append, start } = given();
		const projection = start();
		await projection.whenCaughtUp();
		expect(projection.position()).toBeUndefined();
		await projection.stop();
		await append(1);
		await projection.whenCaughtUp();
	});

	test("is handed unknown types if it asks for them, and is not troubled by them else", async () => {
		const { append, start } = given();
		await append(1, "VideoErased");
		await append(1);
		const [asking, other] = [start(), start({ evolveUnknown: undefined as never, name: "other" })];
		await Promise.all([asking.whenCaughtUp(), other.whenCaughtUp()]);
		expect(asking.state().ids).toEqual(["unknown:VideoErased e1", "e2"]);
		expect(other.state().ids).toEqual(["e2"]);
		await Promise.all([asking.stop(), other.stop()]);
	});

	test("can be folded once, without following; an event of ours that does not decode is an error", async () => {
		const { memory, append } = given();
		await append(2);
		expect(await foldProjection(idsProjection, memory.readAll())).toEqual({ ids: ["e1", "e2"] });
		const damaged = createMemoryEventStore({ clock: { now: () => 0 } });
		const event = { id: "bad", type: "LinkExpired", schemaVersion: 1, data: {}, metadata: {} };
		await damaged.append("recording-a", [event], "any");
		await expect(foldProjection(idsProjection, damaged.readAll())).rejects.toThrow(
			"projection ids stopped at position 1: event bad of type LinkExpired cannot be folded in (TypeError)",
		);
	});
});

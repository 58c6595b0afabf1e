import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createMemoryEventStore } from "./memory/event-store.js";
import { storeFault } from "./ports/index.js";
import { createProjection, foldProjection } from "./projection.js";
import { isProjectionError } from "./projection-error.js";
import { given, idsProjection, idsUpTo, passes } from "./test-projection.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => vi.useRealTimers());

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

	test("leaves its state as it was, unless evolve changed it first: nothing takes that back, and nothing of it is saved", async () => {
		const { append, start, kept } = given();
		await append(2);
		const first = start();
		await first.whenCaughtUp();
		await first.stop();
		await append(1);
		const broken = start({
			evolve: (state) => {
				(state.ids as string[]).push("half");
				throw new Error("x");
			},
		});
		await expect(broken.ended).rejects.toThrow();
		await broken.stop();
		expect([broken.state().ids, broken.position()]).toEqual([["e1", "e2", "half"], "2"]);
		expect(await kept.load("ids")).toMatchObject({ position: "2", state: { ids: ["e1", "e2"] } });
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

	test("is waited for by whenCaughtUp too, and a stop ends that wait", async () => {
		let isAway = false;
		const { append, start, logged } = given({
			store: (store) => ({
				async *readAll(options) {
					if (isAway && options?.direction === "backward") throw storeFault("io", "no disk");
					yield* store.readAll(options);
				},
			}),
		});
		await append(1);
		const projection = start();
		await passes();
		isAway = true;
		const first = projection.whenCaughtUp();
		await passes(500);
		isAway = false;
		await Promise.all([first, passes(500)]);
		expect(logged).toMatchObject([{ projection: "ids", reason: "io" }]);
		isAway = true;
		const second = projection.whenCaughtUp();
		await passes(500);
		await projection.stop();
		await second;
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
		const { memory, append, start } = given();
		const projection = start();
		await projection.whenCaughtUp();
		expect(projection.position()).toBeUndefined();
		await projection.stop();
		await append(1);
		await projection.whenCaughtUp();
		await memory.close();
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

import { describe, expect, it } from "vitest";
import { systemClock } from "./container/defaults.js";
import { compose, started } from "./container/test-reelkeep.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { memoryStorage } from "./memory/plugin.js";
import { CLOCK, EVENT_STORE, type EventStore, type Plugin, type Report, storeFault } from "./ports/index.js";
import { createQuarantineLedger } from "./quarantine-ledger.js";

const undecodable = (text: string, appKey = "app"): Report => ({
	appKey,
	requestParam: text,
	metadata: { ingress: "test" },
});

/** The same store under another Reelkeep: what a restart finds. */
const storageOn = (store: EventStore): Plugin => {
	const memory = memoryStorage();
	return {
		...memory,
		register: (registry) =>
			memory.register?.({
				provide: (token, factory) =>
					registry.provide(token, token === EVENT_STORE ? () => store as never : factory),
			}),
	};
};

describe("the quarantine's quota of an app", () => {
	it("is kept to the last place, though all come at once; who comes too late is asked to come again", async () => {
		const reelkeep = await started({ quarantineQuota: { maxCallbacks: 5 } });
		const texts = Array.from({ length: 20 }, (_, index) => `not json ${index}`);
		const outcomes = await Promise.all(texts.map((text) => reelkeep.receive(undecodable(text))));
		expect(outcomes.filter(({ _tag }) => _tag === "Quarantined")).toHaveLength(5);
		expect(outcomes.filter(({ _tag }) => _tag === "Unavailable")).toHaveLength(15);
		let stored = 0;
		for await (const _ of reelkeep.store.readAll()) stored += 1;
		expect(stored).toBe(5);
	});

	it("still answers what is in quarantine already as the first time", async () => {
		const reelkeep = await started({ quarantineQuota: { maxCallbacks: 1 } });
		const first = await reelkeep.receive(undecodable("one"));
		expect(await reelkeep.receive(undecodable("two"))).toMatchObject({ _tag: "Unavailable" });
		expect(await reelkeep.receive(undecodable("one"))).toEqual(first);
	});

	it("counts bytes as they were received", async () => {
		const reelkeep = await started({ quarantineQuota: { maxBytes: 10 } });
		expect(await reelkeep.receive(undecodable("游戏x"))).toMatchObject({ _tag: "Quarantined" }); // 7 bytes
		expect(await reelkeep.receive(undecodable("abcd"))).toMatchObject({ _tag: "Unavailable" });
		expect(await reelkeep.receive(undecodable("abc"))).toMatchObject({ _tag: "Quarantined" });
	});

	it("is each app's own, and is told on /readyz: degraded before its end, failing behind it", async () => {
		const reelkeep = await started({ quarantineQuota: { maxCallbacks: 5 } });
		for (const text of ["1", "2", "3"]) await reelkeep.receive(undecodable(text));
		expect(await reelkeep.health.check()).toEqual([]);
		await reelkeep.receive(undecodable("4"));
		expect(await reelkeep.health.check()).toMatchObject([{ source: "quarantine", severity: "degraded" }]);
		await reelkeep.receive(undecodable("5"));
		expect(await reelkeep.health.check()).toMatchObject([{ source: "quarantine", severity: "failing" }]);
		expect(await reelkeep.receive(undecodable("6", "other"))).toMatchObject({ _tag: "Quarantined" });
	});

	it("is known after a restart, and is not used up by the same callbacks again", async () => {
		const store = createMemoryEventStore({ clock: Date });
		const options = { quarantineQuota: { maxCallbacks: 3 } };
		const before = await started({ ...options, plugins: [storageOn(store)] });
		for (const text of ["1", "2", "3"]) await before.receive(undecodable(text));
		await before.stop();
		const after = await started({ ...options, plugins: [storageOn(store)] });
		expect(await after.receive(undecodable("4"))).toMatchObject({ _tag: "Unavailable" });
		expect(await after.receive(undecodable("1"))).toMatchObject({ _tag: "Quarantined" });
		expect(await after.health.check()).toMatchObject([{ severity: "failing" }]);
		const wider = await started({ quarantineQuota: { maxCallbacks: 4 }, plugins: [storageOn(store)] });
		expect(await wider.receive(undecodable("4"))).toMatchObject({ _tag: "Quarantined" });
		expect(await wider.receive(undecodable("5"))).toMatchObject({ _tag: "Unavailable" });
	});

	it("counts what another process put there", async () => {
		const store = createMemoryEventStore({ clock: Date });
		const options = { quarantineQuota: { maxCallbacks: 2 }, plugins: [storageOn(store)] };
		const [one, two] = [await started(options), await started(options)];
		await one.receive(undecodable("1"));
		await one.receive(undecodable("2"));
		await expect
			.poll(async () => (await two.health.check()).map(({ severity }) => severity))
			.toEqual(["failing"]);
		expect(await two.receive(undecodable("3"))).toMatchObject({ _tag: "Unavailable" });
	});

	it("is not used up by a callback that is there already, nor for ever by one that is too large", async () => {
		let nowMs = 0;
		const clock = { now: () => nowMs, sleep: systemClock.sleep };
		const timed: Plugin = {
			name: "timed",
			provides: [CLOCK],
			needs: [],
			register: (registry) => registry.provide(CLOCK, () => clock),
		};
		const plugins = [memoryStorage(), timed];
		const reelkeep = await started({ plugins, quarantineQuota: { maxBytes: 100 } });
		const large = undecodable("x".repeat(70));
		await reelkeep.receive(large);
		expect(await reelkeep.receive(large)).toMatchObject({ _tag: "Quarantined" });
		expect(await reelkeep.health.check()).toEqual([]);
		expect(await reelkeep.receive(undecodable("y".repeat(70)))).toMatchObject({ _tag: "Unavailable" });
		expect(await reelkeep.health.check()).toMatchObject([{ severity: "failing" }]);
		nowMs = 11 * 60_000;
		expect(await reelkeep.health.check()).toEqual([]);
	});

	it("lets few wait for its count, so that the others' callbacks find room", async () => {
		const ledger = createQuarantineLedger();
		const waiting = Array.from({ length: 33 }, (_, index) => ledger.reserve("a", 1, `quarantine-${index}`));
		await expect(waiting[32]).rejects.toMatchObject({ _tag: "StoreFault", reason: "overloaded" });
		ledger.opened();
		expect(await Promise.all(waiting.slice(0, 32))).toHaveLength(32);
		expect(await ledger.reserve("a", 1, "quarantine-33")).toBeDefined();
	});

	it("gives a place back that an append did not take", async () => {
		const memory = createMemoryEventStore({ clock: Date });
		let fails = true;
		const store: EventStore = {
			...memory,
			append: async (...append) => {
				if (fails) throw storeFault("io", "no");
				return memory.append(...append);
			},
		};
		const reelkeep = await started({ quarantineQuota: { maxCallbacks: 1 }, plugins: [storageOn(store)] });
		for (let times = 0; times < 3; times++) {
			expect(await reelkeep.receive(undecodable("1"))).toMatchObject({
				_tag: "Unavailable",
				reason: "fault",
			});
		}
		fails = false;
		expect(await reelkeep.receive(undecodable("1"))).toMatchObject({ _tag: "Quarantined" });
	});

	it("keeps callbacks that decode waiting for nothing, and refuses the others when it cannot be counted", async () => {
		const memory = createMemoryEventStore({ clock: Date });
		await memory.append("s", [{ id: "1", type: "X", schemaVersion: 1, data: {}, metadata: {} }], "any");
		const store: EventStore = {
			...memory,
			async *readAll(options) {
				if (options?.direction !== "backward" && options?.after === undefined) {
					throw storeFault("corrupt", "damaged");
				}
				yield* memory.readAll(options);
			},
		};
		const reelkeep = await started({ plugins: [storageOn(store)] });
		expect(await reelkeep.receive(undecodable("not json"))).toMatchObject({ _tag: "Unavailable" });
		expect(await reelkeep.health.check()).toMatchObject([{ source: "quarantine" }]);
	});

	it.each([{ maxCallbacks: 0 }, { maxBytes: 0 }, { maxBytes: Number.NaN }])(
		"is refused when it is %o",
		(quota) => {
			expect(() => createQuarantineLedger(quota)).toThrow(RangeError);
			expect(() => compose({ quarantineQuota: quota })).toThrow(RangeError);
		},
	);
});

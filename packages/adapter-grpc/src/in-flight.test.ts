import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createInFlight } from "./in-flight.js";

const inFlight = (maxInFlight: number, maxInFlightPerConnection: number) =>
	createInFlight({ maxInFlight, maxInFlightPerConnection });

/** What has settled once everything that could run has run. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
	let settled = false;
	void promise.then(() => {
		settled = true;
	});
	await new Promise((resolve) => setImmediate(resolve));
	return settled;
}

describe("createInFlight", () => {
	it("has so many places for all, whoever asks", () => {
		const { begin } = inFlight(2, 2);
		const leave = begin("a");
		expect(begin("b")).toBeTypeOf("function");
		expect(begin("c")).toBeUndefined();
		leave?.();
		expect(begin("c")).toBeTypeOf("function");
	});

	it("has so many places for one connection, and leaves room for others", () => {
		const { begin } = inFlight(10, 1);
		const leave = begin("a");
		expect(begin("a")).toBeUndefined();
		expect(begin("b")).toBeTypeOf("function");
		leave?.();
		expect(begin("a")).toBeTypeOf("function");
	});

	it("counts the others of a connection on when one of them leaves", () => {
		const { begin } = inFlight(10, 2);
		const leave = begin("a");
		begin("a");
		leave?.();
		expect(begin("a")).toBeTypeOf("function");
		expect(begin("a")).toBeUndefined();
	});

	it("takes no place for whom it turns away", () => {
		const { begin } = inFlight(2, 1);
		const leave = begin("a");
		for (let times = 0; times < 5; times += 1) expect(begin("a")).toBeUndefined();
		expect(begin("b")).toBeTypeOf("function");
		leave?.();
		expect(begin("a")).toBeTypeOf("function");
	});

	it("is idle at once where nothing is under way", async () => {
		expect(await isSettled(inFlight(1, 1).idle())).toBe(true);
	});

	it("is idle once the last one has left, for all who wait", async () => {
		const { begin, idle } = inFlight(4, 4);
		const leave = [begin("a"), begin("a"), begin("b")];
		const waiting = [idle(), idle()];
		leave[0]?.();
		leave[2]?.();
		expect(await isSettled(waiting[0] as Promise<void>)).toBe(false);
		leave[1]?.();
		expect(await Promise.all(waiting.map(isSettled))).toEqual([true, true]);
		begin("a");
		expect(await isSettled(idle())).toBe(false);
	});

	it("never has more under way than its limits, and always has all places back", () => {
		const peer = fc.constantFrom("a", "b", "c");
		const step = fc.oneof(fc.record({ begin: peer }), fc.record({ leave: fc.nat() }));
		const places = fc.integer({ min: 1, max: 4 });
		fc.assert(
			fc.property(
				places,
				places,
				fc.array(step, { maxLength: 40, size: "max" }),
				(most, mostOfOne, steps) => {
					const { begin } = inFlight(most, mostOfOne);
					const open: { readonly peer: string; readonly leave: () => void }[] = [];
					for (const one of steps) {
						if ("leave" in one) {
							const [left] = open.splice(one.leave % Math.max(open.length, 1), 1);
							left?.leave();
							continue;
						}
						const own = open.filter((it) => it.peer === one.begin).length;
						const leave = begin(one.begin);
						expect(leave !== undefined).toBe(open.length < most && own < mostOfOne);
						if (leave !== undefined) open.push({ peer: one.begin, leave });
					}
					for (const { leave } of open) leave();
					for (let place = 0; place < Math.min(most, mostOfOne); place += 1) expect(begin("a")).toBeDefined();
				},
			),
		);
	});
});

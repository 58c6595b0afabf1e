import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createInFlight } from "./in-flight.js";

const inFlight = (maxInFlight: number, maxInFlightPerConnection: number) =>
	createInFlight({ maxInFlight, maxInFlightPerConnection });

describe("createInFlight", () => {
	it("has so many places for all, whoever asks", () => {
		const takePlace = inFlight(2, 2);
		const leave = takePlace("a");
		expect(takePlace("b")).toBeTypeOf("function");
		expect(takePlace("c")).toBeUndefined();
		leave?.();
		expect(takePlace("c")).toBeTypeOf("function");
	});

	it("has so many places for one connection, and leaves room for others", () => {
		const takePlace = inFlight(10, 1);
		const leave = takePlace("a");
		expect(takePlace("a")).toBeUndefined();
		expect(takePlace("b")).toBeTypeOf("function");
		leave?.();
		expect(takePlace("a")).toBeTypeOf("function");
	});

	it("counts the others of a connection on when one of them leaves", () => {
		const takePlace = inFlight(10, 2);
		const leave = takePlace("a");
		takePlace("a");
		leave?.();
		expect(takePlace("a")).toBeTypeOf("function");
		expect(takePlace("a")).toBeUndefined();
	});

	it("takes no place for whom it turns away", () => {
		const takePlace = inFlight(2, 1);
		const leave = takePlace("a");
		for (let times = 0; times < 5; times += 1) expect(takePlace("a")).toBeUndefined();
		expect(takePlace("b")).toBeTypeOf("function");
		leave?.();
		expect(takePlace("a")).toBeTypeOf("function");
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
					const takePlace = inFlight(most, mostOfOne);
					const open: { readonly peer: string; readonly leave: () => void }[] = [];
					for (const one of steps) {
						if ("leave" in one) {
							const [left] = open.splice(one.leave % Math.max(open.length, 1), 1);
							left?.leave();
							continue;
						}
						const own = open.filter((it) => it.peer === one.begin).length;
						const leave = takePlace(one.begin);
						expect(leave !== undefined).toBe(open.length < most && own < mostOfOne);
						if (leave !== undefined) open.push({ peer: one.begin, leave });
					}
					for (const { leave } of open) leave();
					for (let place = 0; place < Math.min(most, mostOfOne); place += 1)
						expect(takePlace("a")).toBeDefined();
				},
			),
		);
	});
});

import { describe, expect, it } from "vitest";
import { compareOrders } from "./outage.js";

const OUTAGE = { recordings: 4_000, outageHours: 6 };

function sharesOf(options: { readonly load: number; readonly seed: number }): readonly number[] {
	const [ideal, ...others] = compareOrders({ ...OUTAGE, ...options });
	return others.map(({ savedAt }) => savedAt.length / (ideal?.savedAt.length ?? Number.NaN));
}

// With fewer recordings each of them, and each estimate, weighs more: 100,000 of them are `pnpm simulate-outage`.
describe("the archiver after an outage", () => {
	it.each([1, 2, 3])("saves what can be saved when there is time for all of it (seed %i)", (seed) => {
		const [reelkeep = 0] = sharesOf({ load: 0.9, seed });
		expect(reelkeep).toBeGreaterThan(0.99);
	});

	it.each([1, 2, 3])("saves nearly as much as can be when there is not (seed %i)", (seed) => {
		const [reelkeep = 0, deadlineOrder = 1, firstCome = 1] = sharesOf({ load: 1.5, seed });
		expect(reelkeep).toBeGreaterThan(0.97);
		// Works on what is lost already, and loses the next with it.
		expect(deadlineOrder).toBeLessThan(0.5);
		expect(firstCome).toBeLessThan(0.7);
	});
});

import { describe, expect, test } from "vitest";
import { eventStoreSuite } from "./event-store.js";
import { broken, type Flaw, grouping, reopenable } from "./test-flawed-stores.js";
import { loneFlaws } from "./test-flaws-alone.js";
import { closingFlaws } from "./test-flaws-closing.js";
import { readingFlaws } from "./test-flaws-reading.js";
import { writingFlaws } from "./test-flaws-writing.js";
import { describeConformance } from "./vitest.js";

describeConformance("the memory event store", eventStoreSuite(broken()), {
	skips: ["persistence", "reopened-log", "reopened-streams", "reopened-call-order"],
});

/** The clauses that fail. */
async function failing(make: Flaw["make"]): Promise<readonly string[]> {
	const failed = eventStoreSuite(make).map(async ({ clause, run }) => {
		try {
			await run();
			return [];
		} catch {
			return [clause];
		}
	});
	return (await Promise.all(failed)).flat();
}

describe("a sound event store passes, in which flaws are planted", () => {
	test("when it writes in groups", async () => {
		expect(await failing(grouping())).toEqual([]);
	});

	test("when it is opened again", async () => {
		expect(await failing(reopenable())).toEqual([]);
	});
});

const flaws = { ...writingFlaws, ...readingFlaws, ...closingFlaws, ...loneFlaws };

test("every clause has a flaw that breaks it alone", () => {
	const failed = new Set(Object.values(flaws).flatMap(({ breaks }) => (breaks.length === 1 ? breaks : [])));
	const clauses = eventStoreSuite(broken()).map(({ clause }) => clause);
	expect(clauses.filter((clause) => !failed.has(clause))).toEqual([]);
});

describe.concurrent("a broken event store fails exactly its clauses", { timeout: 20_000 }, () => {
	for (const [flaw, { breaks, make }] of Object.entries(flaws)) {
		test(`when ${flaw}`, async ({ expect }) => {
			expect(await failing(make)).toEqual(breaks);
		});
	}
});

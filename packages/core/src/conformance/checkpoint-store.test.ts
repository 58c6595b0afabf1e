import { describe, expect, test } from "vitest";
import { createMemoryCheckpointStore } from "../memory/checkpoint-store.js";
import { checkpointStoreSuite } from "./checkpoint-store.js";
import { brokenCheckpoints, type MakeCheckpoints } from "./test-flawed-checkpoints.js";
import { checkpointFlaws } from "./test-flaws-checkpoints.js";
import { describeConformance } from "./vitest.js";

const memory: MakeCheckpoints = async () => ({
	open: async () => createMemoryCheckpointStore(),
	dispose: async () => undefined,
});

describeConformance("the memory checkpoint store", checkpointStoreSuite(memory), {
	skips: ["reopened", "crash"],
});

/** The clauses that fail. */
async function failing(make: MakeCheckpoints): Promise<readonly string[]> {
	const failed: string[] = [];
	for (const { clause, run } of checkpointStoreSuite(make)) await run().catch(() => failed.push(clause));
	return failed;
}

test("a sound checkpoint store passes, in which flaws are planted", async () => {
	expect(await failing(brokenCheckpoints())).toEqual([]);
});

describe("a broken checkpoint store fails exactly its clauses", () => {
	for (const [flaw, { breaks, make }] of Object.entries(checkpointFlaws)) {
		test(`when ${flaw}`, async () => {
			expect(await failing(make)).toEqual(breaks);
		});
	}
});

test("every clause has a flaw that breaks it and no other", () => {
	const alone = Object.values(checkpointFlaws).flatMap(({ breaks }) => (breaks.length === 1 ? breaks : []));
	const clauses = checkpointStoreSuite(memory).map(({ clause }) => clause);
	expect(clauses.filter((clause) => !alone.includes(clause))).toEqual([]);
});

test("a store that does nothing passes no clause", async () => {
	const open = async () => ({ load: async () => undefined, save: async () => ({ _tag: "Saved" }) as const });
	const failed = await failing(async () => ({
		open,
		reopen: open,
		crash: open,
		dispose: async () => undefined,
	}));
	expect(failed).toEqual(checkpointStoreSuite(memory).map(({ clause }) => clause));
});

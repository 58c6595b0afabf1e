import { expect, test } from "vitest";
import { createMemoryCheckpointStore } from "../memory/checkpoint-store.js";
import { checkpointStoreSuite } from "./checkpoint-store.js";
import { brokenCheckpoints, type MakeCheckpoints } from "./test-flawed-checkpoints.js";
import { checkpointFlaws } from "./test-flaws-checkpoints.js";
import { failingOf, testFlaws } from "./test-suite-flaws.js";
import { describeConformance } from "./vitest.js";

const memory: MakeCheckpoints = async () => ({
	open: async () => createMemoryCheckpointStore(),
	dispose: async () => undefined,
});

describeConformance("the memory checkpoint store", checkpointStoreSuite(memory), {
	skips: ["reopened", "crash"],
});

const failing = (make: MakeCheckpoints) => failingOf(checkpointStoreSuite(make));

test("a sound checkpoint store passes, in which flaws are planted", async () => {
	expect(await failing(brokenCheckpoints())).toEqual([]);
});

testFlaws("checkpoint store", checkpointStoreSuite, checkpointFlaws);

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

import { expect, test } from "vitest";
import { createMemorySnapshotStore } from "../memory/snapshot-store.js";
import { snapshotStoreSuite } from "./snapshot-store.js";
import { brokenSnapshots, type MakeSnapshots } from "./test-flawed-snapshots.js";
import { snapshotFlaws } from "./test-flaws-snapshots.js";
import { snapshotKeepingFlaws } from "./test-flaws-snapshots-kept.js";
import { failingOf, testFlaws } from "./test-suite-flaws.js";
import { passTimeAtOnce } from "./test-virtual-time.js";
import { describeConformance } from "./vitest.js";

// Saves take their time, and there are many.
passTimeAtOnce();

const memory: MakeSnapshots = async () => ({
	open: async () => createMemorySnapshotStore(),
	dispose: async () => undefined,
});

describeConformance("the memory snapshot store", snapshotStoreSuite(memory), {
	skips: ["too-large", "reopened", "crash", "crash-save", "damaged"],
});

const failing = (make: MakeSnapshots) => failingOf(snapshotStoreSuite(make));

test("a sound snapshot store passes, in which flaws are planted", async () => {
	expect(await failing(brokenSnapshots())).toEqual([]);
});

testFlaws("snapshot store", snapshotStoreSuite, { ...snapshotFlaws, ...snapshotKeepingFlaws });

test("a store that does nothing passes no clause", async () => {
	const open = async () => ({ load: async () => undefined, save: async () => ({ _tag: "Saved" }) as const });
	const failed = await failing(async () => ({
		open,
		reopen: open,
		crash: open,
		damage: open,
		maxSnapshotBytes: 1024 * 1024,
		dispose: async () => undefined,
	}));
	expect(failed).toEqual(snapshotStoreSuite(memory).map(({ clause }) => clause));
});

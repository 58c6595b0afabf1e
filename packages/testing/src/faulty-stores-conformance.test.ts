// Without a planned fault a faulty port is what it is wrapped around; with some, the suites say which promise it breaks.

import {
	createMemoryCheckpointStore,
	createMemoryEventStore,
	createMemoryKeyring,
	createMemoryLeaseStore,
	createMemorySnapshotStore,
	createMemoryVideoStore,
} from "@reelkeep/core";
import {
	checkpointStoreSuite,
	eventStoreSuite,
	keyringSuite,
	leaseStoreSuite,
	snapshotStoreSuite,
	videoStoreSuite,
} from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { expect, test } from "vitest";
import {
	faultyCheckpointStore,
	faultyEventStore,
	faultyKeyring,
	faultyLeaseStore,
	faultySnapshotStore,
	faultyVideoStore,
} from "./faulty-stores.js";

const clock = { now: () => Date.now() };
/** The harness of what is opened once: nothing of it survives. */
const once = <Port>(open: () => Port) => ({ open: async () => open(), dispose: async () => undefined });
const events = () => faultyEventStore(createMemoryEventStore({ clock }));

describeConformance(
	"a faulty event store",
	eventStoreSuite(async () => once(events)),
	{
		skips: [
			"persistence",
			"reopened-log",
			"reopened-streams",
			"reopened-call-order",
			"crash-events",
			"crash-batch",
		],
	},
);
describeConformance(
	"a faulty checkpoint store",
	checkpointStoreSuite(async () => once(() => faultyCheckpointStore(createMemoryCheckpointStore()))),
	{ skips: ["reopened", "crash"] },
);
describeConformance(
	"a faulty snapshot store",
	snapshotStoreSuite(async () => once(() => faultySnapshotStore(createMemorySnapshotStore()))),
	{ skips: ["too-large", "reopened", "crash", "crash-save"] },
);
describeConformance(
	"a faulty video store",
	videoStoreSuite(async () => once(() => faultyVideoStore(createMemoryVideoStore()))),
	{
		skips: [
			...["reopened-videos", "reopened-partials", "reopened-removals"],
			...["crash-videos", "crash-commit", "crash-partials", "crash-resumed"],
		],
	},
);
describeConformance(
	"a faulty lease store",
	leaseStoreSuite(async () => {
		let now = 1_000;
		const standing = { now: () => now };
		return {
			...once(() => faultyLeaseStore(createMemoryLeaseStore({ clock: standing }))),
			now: standing.now,
			passes: async (ms: number) => {
				now += ms;
			},
		};
	}),
	{ skips: ["reopened"] },
);
describeConformance(
	"a faulty keyring",
	keyringSuite(async () => ({
		...once(() => faultyKeyring(createMemoryKeyring())),
		openOther: async () => createMemoryKeyring({ current: "other", keys: { other: new Uint8Array(32) } }),
	})),
	{ skips: ["reopened", "rotated"] },
);

/** Whether `clause` fails for a store of which the first call goes wrong as `plan` says. */
async function fails(clause: string, plan: (faults: ReturnType<typeof events>["faults"]) => void) {
	const cases = eventStoreSuite(async () =>
		once(() => {
			const store = events();
			plan(store.faults);
			return store;
		}),
	);
	const chosen = cases.filter((one) => one.clause === clause);
	expect(chosen.length).toBe(1);
	return chosen[0]?.run().then(
		() => false,
		() => true,
	);
}

test("the suite of event stores tells one that yields twice, and not one that is late", async () => {
	expect(await fails("global-reading", (faults) => faults.duplicateNext("readAll"))).toBe(true);
	expect(await fails("global-reading", (faults) => faults.delayNext("readAll", 5))).toBe(false);
});

// A wrapper in which no fault is planned keeps the contract of what it wraps; one that tears is told by the suite.

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
import type { EventStore } from "@reelkeep/core/ports";
import { expect, it } from "vitest";
import { createFakeClock } from "./fake-clock.js";
import { type Faults, type FaultyMethod, faulty } from "./index.js";

const dispose = async (): Promise<void> => undefined;
const eventStore = () => faulty(createMemoryEventStore({ clock: Date }));

describeConformance(
	"a faulty event store without a fault",
	eventStoreSuite(async () => ({ open: async () => eventStore(), dispose })),
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
	"a faulty checkpoint store without a fault",
	checkpointStoreSuite(async () => ({ open: async () => faulty(createMemoryCheckpointStore()), dispose })),
);
describeConformance(
	"a faulty snapshot store without a fault",
	snapshotStoreSuite(async () => ({ open: async () => faulty(createMemorySnapshotStore()), dispose })),
);
describeConformance(
	"a faulty video store without a fault",
	videoStoreSuite(async () => ({ open: async () => faulty(createMemoryVideoStore()), dispose })),
);
describeConformance(
	"a faulty keyring without a fault",
	keyringSuite(async () => {
		const open = async () => faulty(createMemoryKeyring());
		const keys = { other: new Uint8Array(32).fill(7) };
		const openOther = async () => faulty(createMemoryKeyring({ current: "other", keys }));
		return { open, openOther, dispose };
	}),
);
describeConformance(
	"a faulty lease store without a fault",
	leaseStoreSuite(async () => {
		const clock = createFakeClock();
		const open = async () => faulty(createMemoryLeaseStore({ clock }));
		return { open, now: clock.now, passes: (ms) => clock.advance(ms), dispose };
	}),
);

/** What the suite says of one clause when `plan` was made beforehand. */
async function judged(
	clause: string,
	plan: (faults: Faults<FaultyMethod<EventStore>>) => void,
): Promise<unknown> {
	const open = async () => {
		const store = eventStore();
		plan(store.faults);
		return store;
	};
	const found = eventStoreSuite(async () => ({ open, dispose })).find((each) => each.clause === clause);
	return found?.run().catch((error: Error) => error.message);
}

it("is told by the clause whole-batch when it keeps a part of each append", async () => {
	const tearing = await judged("whole-batch", (faults) => faults.tearNext("append", 1, { times: Infinity }));
	expect(tearing).toMatch(/^events of the batches: is 8, must be 24/);
	expect(await judged("whole-batch", () => undefined)).toBe("passed");
});

it("is told by the clause global-reading when it shows an event twice, or ends a reading early", async () => {
	const doubling = await judged("global-reading", (faults) => faults.duplicateNext("readAll"));
	expect(doubling).toMatch(/must be/);
	const ending = await judged("global-reading", (faults) => faults.tearNext("readAll", 1));
	expect(ending).toMatch(/must be/);
	expect(await judged("global-reading", () => undefined)).toBe("passed");
});

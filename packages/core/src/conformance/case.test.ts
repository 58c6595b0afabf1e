import { expect, test } from "vitest";
import { type ConformanceCase, rejectionOf } from "./case.js";
import { checkpointStoreSuite } from "./checkpoint-store.js";
import { eventStoreSuite } from "./event-store.js";
import { leaseStoreSuite } from "./lease-store.js";
import { brokenCheckpoints } from "./test-flawed-checkpoints.js";
import { brokenLeases } from "./test-flawed-leases.js";
import { broken, map } from "./test-flawed-stores.js";
import { videoReadingFlaws } from "./test-flaws-video-reading.js";
import { videoStoreSuite } from "./video-store.js";

/** What is said of the implementation that was made for `cases`. */
async function saidBy(cases: readonly ConformanceCase[], clause: string): Promise<string> {
	const one = cases.find((each) => each.clause === clause);
	if (one === undefined) throw new Error(`there is no clause ${clause}`);
	return String(await rejectionOf(one.run));
}

test("a refusal that does not come names the call and what came of it", async () => {
	const accepting = eventStoreSuite(
		broken((store) => ({
			append: async (stream, events, expected) =>
				expected === 1.5
					? { _tag: "Appended", version: 1, position: "1" as never }
					: store.append(stream, events, expected),
		})),
	);
	expect(await saidBy(accepting, "arguments")).toBe(
		'ConformanceError: an append of 1 events to "stream-a" that expects 1.5 must reject with a TypeError or a RangeError, and rejects with nothing: it is accepted',
	);
	const unnamed = checkpointStoreSuite(
		brokenCheckpoints((store) => ({ load: async (name) => (name === "" ? undefined : store.load(name)) })),
	);
	expect(await saidBy(unnamed, "arguments")).toContain('a load of the name "" of 0 characters must reject');
	const leases = leaseStoreSuite(brokenLeases({ checks: false }));
	expect(await saidBy(leases, "arguments")).toContain(
		'an acquire of the name "" of 0 characters must reject',
	);
});

test("a refusal by another error names that", async () => {
	const cases = eventStoreSuite(
		broken((store) => ({
			append: (stream, events, expected) =>
				store.append(stream, events, expected).catch((error) => {
					throw new Error(`disk: ${error.name}`);
				}),
		})),
	);
	expect(await saidBy(cases, "refused-append")).toBe(
		"ConformanceError: an append of an event with data that holds itself must reject with a TypeError or a RangeError, and rejects with Error: disk: TypeError",
	);
});

test("what is not frozen is named by its path", async () => {
	const cases = eventStoreSuite(
		broken((store) => ({
			readAll: (options) =>
				map(store.readAll(options), (event) =>
					Object.freeze({ ...event, data: Object.freeze(structuredClone(event.data)) }),
				),
		})),
	);
	expect(await saidBy(cases, "immutable")).toBe(
		"ConformanceError: data.list of an event that readAll hands out is not frozen: it must be, and all that it holds",
	);
});

test("a video that its reader changed says so, and from which byte on", async () => {
	const flaw = videoReadingFlaws["whoever reads a video can write into it"];
	if (flaw === undefined) throw new Error("there is no such flaw");
	expect(await saidBy(videoStoreSuite(flaw.make), "immutable")).toMatch(
		/what is read after an earlier reader wrote zeros into its chunks: byte \d+ is 0, must be [1-9]\d*$/,
	);
});

test("a lease that its holder changed says who got the name, and through whose lease", async () => {
	const cases = leaseStoreSuite(brokenLeases({ handOut: (lease) => lease }));
	expect(await saidBy(cases, "immutable")).toContain("when a wrote into the lease that acquire gave out");
});

test("hints that do not come are counted by what they were to follow", async () => {
	const cases = eventStoreSuite(broken(() => ({ onAppended: () => () => undefined })));
	expect(await saidBy(cases, "hint")).toContain(
		"hints within 50 ms of 20 appends, to the listener that was not stopped: are 0, must be 1 or more",
	);
});

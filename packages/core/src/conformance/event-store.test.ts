import { describe, expect, test } from "vitest";
import { eventStoreSuite } from "./event-store.js";
import { broken, type Flaw, grouping, reopenable } from "./test-flawed-stores.js";
import { writingLater } from "./test-flawed-writing.js";
import { loneFlaws } from "./test-flaws-alone.js";
import { closingFlaws } from "./test-flaws-closing.js";
import { encodedFlaws } from "./test-flaws-encoded.js";
import { readingFlaws } from "./test-flaws-reading.js";
import { writingFlaws } from "./test-flaws-writing.js";
import { failingAtOnce, testFlaws } from "./test-suite-flaws.js";
import { describeConformance } from "./vitest.js";

describeConformance("the memory event store", eventStoreSuite(broken()), {
	skips: [
		"persistence",
		"reopened-log",
		"reopened-streams",
		"reopened-call-order",
		"crash-events",
		"crash-batch",
	],
});

const failing = (make: Flaw["make"]) => failingAtOnce(eventStoreSuite(make));

describe("a sound event store passes, in which flaws are planted", () => {
	test("when it writes in groups", async () => {
		expect(await failing(grouping())).toEqual([]);
	});

	test("when it is opened again", async () => {
		expect(await failing(reopenable())).toEqual([]);
	});

	test("when it writes later, until it is killed", async () => {
		expect(await failing(writingLater())).toEqual([]);
	});
});

// They wait for one another, more than they work.
testFlaws(
	"event store",
	eventStoreSuite,
	{ ...writingFlaws, ...readingFlaws, ...encodedFlaws, ...closingFlaws, ...loneFlaws },
	{ atOnce: true, timeoutMs: 20_000 },
);

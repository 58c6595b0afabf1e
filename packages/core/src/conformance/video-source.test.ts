import { expect, test, vi } from "vitest";
import { brokenSource, type MakeSource, unavailable } from "./test-flawed-videos-source.js";
import { loneSourceFlaws } from "./test-flaws-source-alone.js";
import { sourceEndingFlaws } from "./test-flaws-video-source-ending.js";
import { sourceOpeningFlaws } from "./test-flaws-video-source-opening.js";
import { sourceResumingFlaws } from "./test-flaws-video-source-resuming.js";
import { failingOf, testFlaws } from "./test-suite-flaws.js";
import { passTimeAtOnce } from "./test-virtual-time.js";
import { videoSourceSuite } from "./video-source.js";

vi.mock("@noble/hashes/legacy.js", () => import("./test-native-hashes.js"));
// Sources give up in their own time, and cases wait for it.
passTimeAtOnce();

const failing = (make: MakeSource) => failingOf(videoSourceSuite(make));

test("a sound video source passes, in which flaws are planted", async () => {
	expect(await failing(brokenSource())).toEqual([]);
});

testFlaws("video source", videoSourceSuite, {
	...sourceOpeningFlaws,
	...sourceResumingFlaws,
	...sourceEndingFlaws,
	...loneSourceFlaws,
});

test("a source that opens nothing passes no clause that asks for more", async () => {
	const failed = await failing(brokenSource({ open: () => async () => unavailable("failed", "") }));
	const clauses = videoSourceSuite(brokenSource()).map(({ clause }) => clause);
	const passed = ["bad-links", "abort-before"];
	expect(clauses.filter((clause) => !failed.includes(clause))).toEqual(passed);
});

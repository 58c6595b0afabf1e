import { describe, expect, test } from "vitest";
import { brokenSource, type MakeSource, unavailable } from "./test-flawed-videos-source.js";
import { sourceEndingFlaws } from "./test-flaws-video-source-ending.js";
import { sourceOpeningFlaws } from "./test-flaws-video-source-opening.js";
import { sourceResumingFlaws } from "./test-flaws-video-source-resuming.js";
import { videoSourceSuite } from "./video-source.js";

const flaws = { ...sourceOpeningFlaws, ...sourceResumingFlaws, ...sourceEndingFlaws };

/** The clauses that fail. */
async function failing(make: MakeSource): Promise<readonly string[]> {
	const cases = videoSourceSuite(make);
	const failed = new Set<string>();
	// Some at a time: most of them wait, and too many would make those late that must not be.
	const lanes = [0, 1, 2, 3].map(async (lane) => {
		for (const { clause, run } of cases.filter((_, index) => index % 4 === lane))
			await run().catch(() => failed.add(clause));
	});
	await Promise.all(lanes);
	return cases.map(({ clause }) => clause).filter((clause) => failed.has(clause));
}

test("a sound video source passes, in which flaws are planted", { timeout: 20_000 }, async () => {
	expect(await failing(brokenSource())).toEqual([]);
});

describe.concurrent("a broken video source fails exactly its clauses", { timeout: 60_000 }, () => {
	for (const [flaw, { breaks, make }] of Object.entries(flaws)) {
		test(`when ${flaw}`, async ({ expect }) => {
			expect(await failing(make)).toEqual(breaks);
		});
	}
});

test("every clause has a flaw that breaks it", () => {
	const broken = new Set(Object.values(flaws).flatMap(({ breaks }) => breaks));
	const clauses = videoSourceSuite(brokenSource()).map(({ clause }) => clause);
	expect(clauses.filter((clause) => !broken.has(clause))).toEqual([]);
});

test("a source that opens nothing passes no clause that asks for more", { timeout: 20_000 }, async () => {
	const failed = await failing(brokenSource({ open: () => async () => unavailable("failed", "") }));
	const clauses = videoSourceSuite(brokenSource()).map(({ clause }) => clause);
	const passed = ["bad-links", "abort-before"];
	expect(clauses.filter((clause) => !failed.includes(clause))).toEqual(passed);
});

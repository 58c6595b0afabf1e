import { describe, expect, test } from "vitest";
import { traceHash } from "./chronicle.js";
import { missing, SEEDS_FOR_EVERYTHING } from "./expected.js";
import { simulate } from "./simulate.js";
import { FLAWS } from "./test-flaws.js";

const SEEDS = Number(process.env.REELKEEP_SIMULATE_SEEDS ?? 300);
/** Far more than they take: a slow machine is no reason to fail. */
const TIMEOUT_MS = 60_000 + SEEDS * 200;

test(
	"the same seed takes the same steps",
	async () => {
		const hashes = new Set<string>();
		for (const seed of [1, 2, 40, 44]) {
			const [first, second] = [await simulate(seed), await simulate(seed)];
			expect(traceHash(second.lines)).toBe(traceHash(first.lines));
			expect(first.lines.length).toBeGreaterThan(100);
			hashes.add(traceHash(first.lines));
		}
		expect(hashes.size).toBe(4);
	},
	TIMEOUT_MS,
);

test(
	`what must hold holds over ${SEEDS} seeds`,
	async () => {
		const counts = new Map<string, number>();
		for (let seed = 1; seed <= SEEDS; seed += 1) {
			const outcome = await simulate(seed);
			// How to see it: pnpm simulate --seed <seed>
			expect({ seed, violation: outcome.violation }).toEqual({ seed, violation: undefined });
			for (const [name, times] of outcome.counts) counts.set(name, (counts.get(name) ?? 0) + times);
		}
		if (SEEDS >= SEEDS_FOR_EVERYTHING) expect(missing(counts)).toEqual([]);
	},
	TIMEOUT_MS,
);

describe("a flaw is seen", () => {
	test.each(FLAWS)(
		"when $name",
		async ({ wiring, withinSeeds, seenAs }) => {
			for (let seed = 1; seed <= withinSeeds; seed += 1) {
				const { violation } = await simulate(seed, wiring);
				if (violation !== undefined && seenAs.test(violation)) return;
			}
			expect.fail(`it is not seen in ${withinSeeds} seeds`);
		},
		TIMEOUT_MS,
	);
});

import { createMemoryVideoStore } from "@reelkeep/core";
import { type FaultSubject, QUICK_IDLE_TIMEOUT_MS, QUICK_RETRY } from "@reelkeep/harness/fault-lives";
import { MAX_VIDEO_BYTES } from "@reelkeep/harness/fault-plan";
import { readFaultSeeds, runFaultSeeds } from "@reelkeep/harness/fault-seeds";
import { describe, expect, it } from "vitest";
import { createArchiver } from "./archiver.js";
import { createHttpVideoSource } from "./http-video-source.js";
import { DEFAULT_RETRY_POLICY } from "./retry.js";
import { FLAWS } from "./test-fault-flaws.js";

const SEEDS = readFaultSeeds(1_000);
/** Fewer may miss what is rare. */
const SEEDS_FOR_EVERYTHING = 500;
/** Far more than they take: a slow machine is no reason to fail. */
const TIMEOUT_MS = 60_000 + SEEDS.count * 300;

const source = createHttpVideoSource({
	allowHosts: ["127.0.0.1"],
	allowPrivateNetwork: true,
	maxBytes: MAX_VIDEO_BYTES,
	idleTimeoutMs: QUICK_IDLE_TIMEOUT_MS,
});

function createSubject(options: Pick<FaultSubject, "flaw" | "patienceMs"> = {}): FaultSubject {
	const videoStore = createMemoryVideoStore();
	return {
		source,
		graceMs: DEFAULT_RETRY_POLICY.graceMs,
		openVideoStore: async () => ({ videoStore, close: async () => undefined }),
		startArchiver(deps, options) {
			const archiver = createArchiver(deps, { ...options, retry: QUICK_RETRY });
			archiver.start();
			return archiver;
		},
		...options,
	};
}

it(
	`downloads that go wrong come to what they must, over ${SEEDS.count} seeds from ${SEEDS.first}`,
	async () => {
		const { failures, ends, statuses } = await runFaultSeeds(SEEDS, () => createSubject());
		expect(failures.join("\n")).toBe("");
		if (SEEDS.count < SEEDS_FOR_EVERYTHING) return;
		expect([...ends.keys()].sort()).toEqual([
			"abandoned: not-found",
			"abandoned: refused",
			"archived",
			"expired: deadline",
			"expired: refused",
			"pending",
		]);
		const expected = [
			200, 206, 301, 302, 303, 307, 308, 403, 404, 408, 410, 412, 416, 429, 500, 501, 502, 503, 504,
		];
		expect([...statuses].filter((status) => status > 0).sort()).toEqual(expected);
	},
	TIMEOUT_MS,
);

describe("a flaw is seen", () => {
	it.each(FLAWS)(
		"when $name",
		async ({ withinSeeds, seenAs, plant }) => {
			for (let first = 1; first <= withinSeeds; first += 20) {
				const { failures } = await runFaultSeeds({ first, count: 20 }, () =>
					createSubject({ flaw: plant, patienceMs: 3_000 }),
				);
				if (failures.some((failure) => seenAs.test(failure))) return;
			}
			expect.fail(`it is not seen in ${withinSeeds} seeds`);
		},
		TIMEOUT_MS,
	);
});

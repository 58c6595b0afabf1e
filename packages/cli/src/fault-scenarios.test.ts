// Downloads that go wrong into files: what the archiver's own test does over a store in memory, and each archiver opens
// the directory as a later process would. Here, because only a composition root may see both packages.

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createArchiver, createHttpVideoSource, DEFAULT_RETRY_POLICY } from "@reelkeep/archiver";
import { type FaultSubject, QUICK_IDLE_TIMEOUT_MS, QUICK_RETRY } from "@reelkeep/harness/fault-lives";
import { MAX_VIDEO_BYTES } from "@reelkeep/harness/fault-plan";
import { readFaultSeeds, runFaultSeeds } from "@reelkeep/harness/fault-seeds";
import { createFsVideoStore } from "@reelkeep/storage-fs";
import { afterAll, beforeAll, expect, it } from "vitest";

const SEEDS = readFaultSeeds(150);
/** Far more than they take: a slow disk is no reason to fail. */
const TIMEOUT_MS = 60_000 + SEEDS.count * 1_000;

const source = createHttpVideoSource({
	allowHosts: ["127.0.0.1"],
	allowPrivateNetwork: true,
	maxBytes: MAX_VIDEO_BYTES,
	idleTimeoutMs: QUICK_IDLE_TIMEOUT_MS,
});

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "reelkeep-faults-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function createSubject(directory: string): FaultSubject {
	return {
		source,
		graceMs: DEFAULT_RETRY_POLICY.graceMs,
		async openVideoStore() {
			const videoStore = createFsVideoStore({ directory });
			await videoStore.start();
			return { videoStore, close: videoStore.close };
		},
		startArchiver(deps, options) {
			const archiver = createArchiver(deps, { ...options, retry: QUICK_RETRY });
			archiver.start();
			return archiver;
		},
	};
}

it(
	`downloads into files come to what they must, over ${SEEDS.count} seeds from ${SEEDS.first}`,
	async () => {
		let subjects = 0;
		const next = () => createSubject(join(folder, String(subjects++)));
		const { failures, ends } = await runFaultSeeds(SEEDS, next);
		expect(failures.join("\n")).toBe("");
		expect(ends.get("archived")).toBeGreaterThan(0);
		const files = await readdir(folder, { recursive: true });
		const unfinished = files.filter((path) => /[\\/]partial[\\/]/.test(path));
		// The bytes and their note; what rests has neither.
		expect(unfinished.length).toBeLessThanOrEqual(2 * (ends.get("pending") ?? 0));
	},
	TIMEOUT_MS,
);

import { createRecordingScene } from "@reelkeep/harness/recording-scene";
import { expect, it } from "vitest";
import { createAgenda } from "./agenda.js";
import { createAttempts } from "./attempts.js";
import { measureBandwidth } from "./bandwidth.js";
import { createBlockWriters } from "./block-writer.js";
import { createDiskSpace } from "./disk-space.js";
import { createHttpVideoSource } from "./http-video-source.js";
import { createPendingSet } from "./pending-set.js";
import { DEFAULT_RETRY_POLICY } from "./retry.js";
import { createRiskWatch } from "./risk-watch.js";

it("ends an attempt whatever its surroundings throw, and frees its slot", async () => {
	const scene = createRecordingScene();
	await scene.report("http://bucket.aliyuncs.com/720p.mp4");
	const agenda = createAgenda({ perHost: 4 });
	const pendings = createPendingSet(agenda.put);
	for await (const event of scene.store.readAll()) pendings.apply(event);
	const taken = agenda.take(scene.clock.now());
	if (taken === undefined) throw new Error("nothing is pending");
	let asked = 0;
	const now = (): number => {
		asked += 1;
		if (asked > 1) throw new Error("the clock is broken");
		return scene.clock.now();
	};
	const notices = { emit: () => undefined };
	let changes = 0;
	const changed = (): void => {
		changes += 1;
	};
	const attempts = createAttempts(
		{
			...scene,
			clock: { ...scene.clock, now },
			source: createHttpVideoSource(),
			random: () => 0.5,
			retryPolicy: DEFAULT_RETRY_POLICY,
			space: createDiskSpace(scene.videoStore),
			blocks: createBlockWriters(),
			askForLink: async () => "None",
			notices,
		},
		{
			pendings,
			agenda,
			bandwidth: measureBandwidth(),
			risks: createRiskWatch({ all: pendings.all, overloaded: agenda.atRisk, notices, atRiskMs: 0 }),
			perHost: 4,
			refreshBeforeMs: 0,
			changed,
			signal: new AbortController().signal,
		},
	);
	attempts.begin(taken);
	expect(attempts.count()).toBe(1);
	await attempts.settled();
	expect([attempts.count(), changes]).toEqual([0, 1]);
});

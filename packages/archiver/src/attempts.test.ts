import { createRecordingScene } from "@reelkeep/testing/recording-scene";
import { expect, it } from "vitest";
import { createAttempts } from "./attempts.js";
import { createHttpVideoSource } from "./http-video-source.js";
import { createPendingSet } from "./pending-set.js";
import { DEFAULT_RETRY_POLICY } from "./retry.js";

it("ends an attempt whatever its surroundings throw, and frees its slot", async () => {
	const scene = createRecordingScene();
	await scene.report("http://bucket.aliyuncs.com/720p.mp4");
	const pendings = createPendingSet();
	for await (const event of scene.store.readAll()) pendings.apply(event);
	const [pending] = [...pendings.all()];
	if (pending === undefined) throw new Error("nothing is pending");
	let asked = 0;
	const now = (): number => {
		asked += 1;
		if (asked > 1) throw new Error("the clock is broken");
		return scene.clock.now();
	};
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
		},
		{ pendings, changed, signal: new AbortController().signal },
	);
	attempts.begin(pending);
	expect(attempts.isBusy(pending.stream)).toBe(true);
	await attempts.settled();
	expect([attempts.count(), changes]).toEqual([0, 1]);
});

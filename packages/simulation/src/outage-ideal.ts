// The most that could be saved, were every size known and no moment lost: Moore's and Hodgson's rule over the real sizes.

import { planRescue } from "@reelkeep/archiver";
import type { OutageResult } from "./outage-line.js";
import type { OutageScene } from "./outage-scene.js";

export function idealOutage({ recordings, bytesPerSecond }: OutageScene): OutageResult {
	const byDeadline = [...recordings]
		.sort((left, right) => left.deadline - right.deadline)
		.map(({ deadline: dueAt, bytes }) => ({ dueAt, bytes }));
	const { late } = planRescue(byDeadline, { now: 0, bytesPerSecond });
	const savedAt: number[] = [];
	let now = 0;
	for (const recording of byDeadline) {
		if (late.has(recording)) continue;
		now += (recording.bytes * 1_000) / bytesPerSecond;
		savedAt.push(now);
	}
	return { name: "ideal", savedAt, dead: late.size, wastedBytes: 0 };
}

// `kill -9` under load: what was acknowledged is there after the restart, once. The senders are another process than
// the one that is killed, so what they saw is what counts.

import { fileURLToPath } from "node:url";
import { sampleCallback } from "@reelkeep/testing/sample-callback";
import { temporaryReceiver } from "@reelkeep/testing/temporary-receiver";
import { sendRaw, signedRequest } from "@reelkeep/testing/top-request";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/testing/transcript";
import { expect, test } from "vitest";

const ROUNDS = Number(process.env.REELKEEP_KILL_ROUNDS ?? 20);
const SENDERS = 16;

const receiver = temporaryReceiver(fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url)));

interface Round {
	readonly acknowledged: ReadonlySet<string>;
	readonly unanswered: ReadonlySet<string>;
}

/** Reports from many connections until the server is killed, at a moment that differs from round to round. */
async function killUnderLoad(round: number): Promise<Round> {
	const serve = await receiver.serve();
	const acknowledged = new Set<string>();
	const unanswered = new Set<string>();
	let killed = false;
	let serial = 0;
	const sender = async (): Promise<void> => {
		while (!killed) {
			serial += 1;
			const track = `round-${round}-${serial}`;
			unanswered.add(track);
			const reply = await sendRaw(serve.address, requestOf(track)).catch(() => undefined);
			if (reply === undefined || !reply.body.includes('"consume_state":1')) return;
			unanswered.delete(track);
			acknowledged.add(track);
		}
	};
	const senders = Array.from({ length: SENDERS }, sender);
	await new Promise((resolve) => setTimeout(resolve, 30 + ((round * 53) % 220)));
	const dead = serve.stop("SIGKILL");
	await Promise.all(senders);
	killed = true;
	await dead;
	return { acknowledged, unanswered };
}

function requestOf(track: string): Buffer {
	const requestParam = JSON.stringify(sampleCallback({ track_info: track }));
	return signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
}

/** How often each track was reported, as the log tells it. */
async function countReports(): Promise<ReadonlyMap<string, number>> {
	const counts = new Map<string, number>();
	for (const { type, data } of await receiver.events()) {
		if (type !== "RecordingReported") continue;
		const track = String(data.trackInfo);
		counts.set(track, (counts.get(track) ?? 0) + 1);
	}
	return counts;
}

test(`loses nothing acknowledged and doubles nothing in ${ROUNDS} rounds of kill -9`, {
	timeout: 300_000,
}, async () => {
	try {
		const acknowledged = new Set<string>();
		const unanswered = new Set<string>();
		let counted = 0;
		for (let round = 1; counted < ROUNDS; round += 1) {
			expect(round, "rounds that were cut off in the middle are too few").toBeLessThan(ROUNDS * 3);
			const { acknowledged: answered, unanswered: lost } = await killUnderLoad(round);
			// Only a round in which some, but not all, were acknowledged says anything.
			if (answered.size > 0 && lost.size > 0) counted += 1;
			for (const track of answered) acknowledged.add(track);
			for (const track of lost) unanswered.add(track);
		}
		const serve = await receiver.serve();
		const counts = await countReports();
		expect([...acknowledged].filter((track) => counts.get(track) !== 1)).toEqual([]);
		expect([...counts.keys()].filter((track) => !acknowledged.has(track) && !unanswered.has(track))).toEqual(
			[],
		);

		// The senders try again what was not answered: nothing is stored twice.
		const retries = [...unanswered].map(
			async (track) => (await sendRaw(serve.address, requestOf(track))).body,
		);
		expect((await Promise.all(retries)).every((body) => body.includes('"consume_state":1'))).toBe(true);
		const after = await countReports();
		expect([...acknowledged, ...unanswered].filter((track) => after.get(track) !== 1)).toEqual([]);
		console.log(
			`${counted} kills: ${acknowledged.size} acknowledged, ${unanswered.size} unanswered, none lost or doubled`,
		);
		expect(await serve.stop()).toBe(0);
	} finally {
		await receiver.dispose();
	}
});

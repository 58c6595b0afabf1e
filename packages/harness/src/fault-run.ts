// Runs one scenario of downloads that go wrong: real archivers, a real origin on 127.0.0.1, and time that is pushed ahead.

import { startObjectStore } from "@reelkeep/testing";
import { createEntry, HOUR_MS, type RecordingEntry } from "./fault-entry.js";
import { createLives, type FaultSubject, type Lives } from "./fault-lives.js";
import type { End } from "./fault-oracle.js";
import type { FaultPlan } from "./fault-plan.js";
import { createRecordingScene, type RecordingScene } from "./recording-scene.js";

export interface FaultResult {
	/** What must not have come, for people; empty: nothing. */
	readonly violations: readonly string[];
	/** Where each recording came to, before and after it was mended. */
	readonly ends: readonly End[];
	/** What the origin answered, each status once. */
	readonly statuses: readonly number[];
}

/** Beyond the deadline of a dying link, and within the grace of any. */
const BEYOND_DEADLINE_MS = HOUR_MS + 60_000;
const GRACE_MS = 10 * 60_000;
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 3;
/** Not all that is waited for can be seen to happen. */
const LOOK_ANYWAY_AFTER_MS = 12;
/** Nothing happened for so long: what is waited for is due later. */
const PUSH_AFTER_MS = 20;
const MOST_QUIET_OF_A_LOOK_MS = 5;
const PUSH_MS = 400;
/** Pushed further, time itself would end what is waited for: the grace is over after as many. */
const MOST_PUSHES = 1_400;

/** Runs `plan`. Never rejects for what the archiver does wrong: that is in the result. */
export async function runFaultPlan(plan: FaultPlan, subject: FaultSubject): Promise<FaultResult> {
	const violations: string[] = [];
	const scene = createRecordingScene();
	const origin = await startObjectStore({ now: scene.clock.now });
	const lives = createLives(plan, subject, { scene, origin, violated: (said) => violations.push(said) });
	const entries = plan.recordings.map((recording) => createEntry(recording, { scene, origin, lives }));
	try {
		for (const entry of entries) await entry.prepare();
		await lives.start();
		await runPhases(entries, { scene, lives, patienceMs: subject.patienceMs ?? PATIENCE_MS });
	} catch (error) {
		violations.push(error instanceof Error ? error.message : String(error));
		violations.push(...(await lives.problems()), ...entries.map((entry) => entry.describe()));
	} finally {
		await lives.stop();
		for (const entry of entries) {
			violations.push(...(await entry.judge(subject.graceMs).catch((error: unknown) => [String(error)])));
		}
		await lives.close();
		await origin.close();
	}
	const statuses = [...new Set(origin.asked().map(({ status }) => status))];
	return { violations, ends: entries.flatMap(({ ends }) => ends), statuses };
}

interface Waiting {
	readonly scene: RecordingScene;
	readonly lives: Lives;
	readonly patienceMs: number;
}

/** What needs no time; what the deadline brings; what the end of its grace brings; what comes when all is mended. */
async function runPhases(entries: readonly RecordingEntry[], waiting: Waiting): Promise<void> {
	const { clock } = waiting.scene;
	const all = (condition: (entry: RecordingEntry) => Promise<boolean>) =>
		wait(waiting, async () => {
			for (const entry of entries) if (!(await condition(entry))) return false;
			return true;
		});
	await all((entry) => entry.hasMetItsFate());
	for (const entry of entries) entry.mark();
	clock.shift(BEYOND_DEADLINE_MS);
	await all((entry) => entry.isTriedAgainOr("Dying"));
	for (const entry of entries) entry.mark();
	clock.shift(GRACE_MS);
	await all((entry) => entry.isTriedAgainOr("Dying", "Lasting"));
	for (const entry of entries) await entry.mend();
	await all((entry) => entry.isMended());
}

/** Waits, and pushes time ahead while nothing happens. Throws when it does not come about. */
async function wait({ scene, lives, patienceMs }: Waiting, condition: () => Promise<boolean>): Promise<void> {
	const giveUpAt = performance.now() + patienceMs;
	let seen = -1;
	let lookedAt = Number.NEGATIVE_INFINITY;
	let quietMs = 0;
	let pushes = 0;
	for (let before = performance.now(); ; ) {
		await lives.restartIfDue();
		const now = performance.now();
		// A process that did not get to run was not quiet: what is under way waited as well.
		quietMs += Math.min(now - before, MOST_QUIET_OF_A_LOOK_MS);
		before = now;
		const isQuiet = lives.happened() === seen;
		if (!isQuiet || now - lookedAt > LOOK_ANYWAY_AFTER_MS) {
			seen = lives.happened();
			lookedAt = now;
			if (await condition()) return;
		}
		if (!isQuiet) quietMs = 0;
		if (quietMs > PUSH_AFTER_MS) {
			scene.clock.shift(PUSH_MS);
			quietMs = 0;
			pushes += 1;
		}
		if (now > giveUpAt || pushes > MOST_PUSHES) throw new Error("what must come does not come");
		await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
	}
}

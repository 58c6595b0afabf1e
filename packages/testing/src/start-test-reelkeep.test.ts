import { memoryStorage } from "@reelkeep/core";
import { CompositionError } from "@reelkeep/core/container";
import type { ReceiveOutcome, RecordedEvent } from "@reelkeep/core/ports";
import { afterEach, describe, expect, test } from "vitest";
import { createShiftingClock } from "./shifting-clock.js";
import { startTestReelkeep, type TestReelkeep, type TestReelkeepOptions } from "./start-test-reelkeep.js";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
	await Promise.all(running.splice(0).map((reelkeep) => reelkeep.stop()));
});
async function started(options: TestReelkeepOptions = {}): Promise<TestReelkeep> {
	const reelkeep = await startTestReelkeep(options);
	running.push(reelkeep);
	return reelkeep;
}
const typesOf = (events: readonly RecordedEvent[]): readonly string[] => events.map(({ type }) => type);
const tagOf = async (outcome: Promise<ReceiveOutcome>): Promise<string> => (await outcome)._tag;
/** Moves time on until `isTrue`; for an hour at most. */
async function until({ clock }: TestReelkeep, isTrue: () => boolean): Promise<void> {
	for (let second = 0; second < 3_600 && !isTrue(); second += 1) await clock.advance(1_000);
	expect(isTrue()).toBe(true);
}

describe("a Reelkeep for a test", () => {
	test("records the same in every run", async () => {
		const run = async () => {
			const reelkeep = await started();
			await reelkeep.report();
			await reelkeep.clock.advance(1_000);
			await reelkeep.report({ track_info: "another" });
			// Links are sealed, and no seal is like another.
			return (await reelkeep.recorded()).map(({ id, type, recordedAt }) => ({ id, type, recordedAt }));
		};
		const events = await run();
		expect(events.map(({ recordedAt }) => recordedAt)).toEqual([1_735_689_600_000, 1_735_689_601_000]);
		expect(await run()).toEqual(events);
	});

	test("reads one stream, and keeps what was logged", async () => {
		const reelkeep = await started();
		const outcome = await reelkeep.report();
		await reelkeep.report({ track_info: "another" });
		if (!("stream" in outcome)) throw new Error(outcome._tag);
		expect(typesOf(await reelkeep.recorded(outcome.stream))).toEqual(["RecordingReported"]);
		expect((await reelkeep.recorded()).length).toBe(2);
		expect(reelkeep.logged.length).toBeGreaterThan(0);
		expect(JSON.stringify(reelkeep.logged)).not.toContain("Signature");
	});

	test("takes another clock, and options of the receiver", async () => {
		const clock = createShiftingClock();
		const reelkeep = await startTestReelkeep({ clock, receive: { deadlineCapMs: 60_000 } });
		running.push(reelkeep);
		reelkeep.clock.shift(1_000);
		await reelkeep.report();
		const [event] = await reelkeep.recorded();
		expect((event?.recordedAt ?? 0) - Date.now()).toBeGreaterThan(500);
	});

	test("says which plugin has a storage of its own", async () => {
		const two = startTestReelkeep({ plugins: [memoryStorage()] });
		await expect(two).rejects.toThrow(CompositionError);
		await expect(two).rejects.toThrow(/memory-storage/);
	});
});

describe("what a sender sees of faults that a test plans", () => {
	test("an append of unknown outcome: it is told to try again, and there is one report", async () => {
		const reelkeep = await started();
		reelkeep.stores.events.faults.failNext("append", { when: "after", times: 3 });
		const first = await tagOf(reelkeep.report());
		expect(["Unavailable", "Reported"]).toContain(first);
		reelkeep.stores.events.faults.clear();
		expect(await tagOf(reelkeep.report())).toBe("AlreadyReported");
		expect(typesOf(await reelkeep.recorded())).toEqual(["RecordingReported"]);
	});

	test("a store that cannot write: nothing is there, and the next try is the first", async () => {
		const reelkeep = await started();
		reelkeep.stores.events.faults.failNext("append", { times: 10 });
		expect(await tagOf(reelkeep.report())).toBe("Unavailable");
		reelkeep.stores.events.faults.clear();
		expect(await tagOf(reelkeep.report())).toBe("Reported");
	});

	test("a slow store: the duplicate waits for the first", async () => {
		const reelkeep = await started();
		const held = reelkeep.stores.events.faults.holdNext("append");
		const first = reelkeep.report();
		await held.reached;
		const second = reelkeep.report();
		held.release();
		expect([await first, await second].map(({ _tag }) => _tag).sort()).toEqual([
			"AlreadyReported",
			"Reported",
		]);
		expect(typesOf(await reelkeep.recorded())).toEqual(["RecordingReported"]);
	});

	test("a write that was carried out twice: one report", async () => {
		const reelkeep = await started();
		reelkeep.stores.events.faults.duplicateNext("append");
		expect(["Reported", "AlreadyReported"]).toContain(await tagOf(reelkeep.report()));
		expect(typesOf(await reelkeep.recorded())).toEqual(["RecordingReported"]);
	});

	test("a keyring that is away: it is told to try again", async () => {
		const reelkeep = await started();
		reelkeep.stores.keyring.faults.failNext("seal");
		expect(await tagOf(reelkeep.report())).toBe("Unavailable");
		expect(await tagOf(reelkeep.report())).toBe("Reported");
	});

	test("stops while a call is held", async () => {
		const reelkeep = await started();
		const held = reelkeep.stores.events.faults.holdNext("append");
		const report = reelkeep.report();
		await held.reached;
		await reelkeep.stop();
		expect(["Reported", "Unavailable"]).toContain((await report)._tag);
	});
});

describe("what a subscription sees of faults that a test plans", () => {
	test("a handler that fails is tried again in time that the test moves", async () => {
		const reelkeep = await started();
		const tries: number[] = [];
		const subscription = reelkeep.subscribe("billing", async () => {
			tries.push(reelkeep.clock.now());
			if (tries.length < 3) throw new Error("not yet");
		});
		await reelkeep.report();
		await until(reelkeep, () => tries.length === 3);
		await subscription.whenCaughtUp();
		expect(tries.length).toBe(3);
		expect((tries[2] ?? 0) - (tries[0] ?? 0)).toBeGreaterThan(0);
	});

	test("a checkpoint that was not saved: the event comes again, with the same delivery", async () => {
		const reelkeep = await started();
		const delivered: string[] = [];
		const handler = async (event: { readonly id: string }) => void delivered.push(event.id);
		reelkeep.stores.checkpoints.faults.failNext("save", { times: 1_000 });
		const first = reelkeep.subscribe("billing", handler);
		await reelkeep.report();
		await until(reelkeep, () => delivered.length === 1);
		const stopped = first.stop();
		let isStopped = false;
		void stopped.finally(() => {
			isStopped = true;
		});
		await until(reelkeep, () => isStopped);
		reelkeep.stores.checkpoints.faults.clear();
		await reelkeep.subscribe("billing", handler).whenCaughtUp();
		const [event] = await reelkeep.recorded();
		expect(delivered).toEqual([event?.id, event?.id]);
	});
});

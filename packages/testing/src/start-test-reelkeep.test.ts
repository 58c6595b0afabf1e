// What each fault does to the real core, seen from a service's side.

import { CLOCK, type Plugin, RECEIVE, type ReceiveOutcome } from "@reelkeep/core/ports";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createShiftingClock } from "./shifting-clock.js";
import { startTestReelkeep, type TestReelkeep } from "./start-test-reelkeep.js";

let reelkeep: TestReelkeep;
beforeEach(async () => {
	reelkeep = await startTestReelkeep();
});
afterEach(() => reelkeep.stop());

const tagsOf = (outcomes: readonly ReceiveOutcome[]) => outcomes.map(({ _tag }) => _tag);
const typesOf = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);

describe("a report to a Reelkeep in memory", () => {
	it("is recorded, and seen by whoever looks: the log, the live events, a subscription", async () => {
		const live: string[] = [];
		reelkeep.events.on("RecordingReported", ({ data }) => live.push(data.trackInfo));
		const outcome = await reelkeep.report({ track_info: "mine" }, { appKey: "other-app" });
		if (!("stream" in outcome)) throw new Error(outcome._tag);
		const event = await reelkeep.until("RecordingReported", outcome.stream);
		expect(event).toMatchObject({ data: { trackInfo: "mine" }, metadata: { appKey: "other-app" } });
		expect(event.recordedAt).toBe(reelkeep.clock.now());

		const seen: string[] = [];
		const subscription = reelkeep.subscribe("mail", async ({ type }) => void seen.push(type));
		await subscription.whenCaughtUp();
		expect({ live, seen }).toEqual({ live: ["mine"], seen: ["RecordingReported"] });
		expect(await reelkeep.checkpointStore.load("mail")).toBe(event.position);
		expect(await reelkeep.history("recording-of-nobody")).toEqual([]);
		expect(await reelkeep.health.check()).toEqual([]);
	});

	it("is waited for by its type: the first of them, also when it comes later than the wait", async () => {
		const quarantined = reelkeep.until("CallbackQuarantined");
		await reelkeep.report({ track_info: "first" });
		await reelkeep.report({ track_info: "second" });
		expect((await reelkeep.until("RecordingReported")).data.trackInfo).toBe("first");
		await reelkeep.report({ game_id: undefined });
		expect((await quarantined).stream).toMatch(/^quarantine-/);
	});

	it("is quarantined when it cannot be decoded", async () => {
		expect(await reelkeep.report({ game_id: undefined })).toMatchObject({ _tag: "Quarantined" });
	});
});

describe("an event store that fails", () => {
	it("before it writes: the sender tries again, and one event is there", async () => {
		reelkeep.eventStore.faults.failNext("append", { times: 4 });
		const outcomes = [await reelkeep.report()];
		while (outcomes.at(-1)?._tag === "Unavailable") outcomes.push(await reelkeep.report());
		expect(outcomes[0]).toMatchObject({ _tag: "Unavailable", reason: "fault" });
		expect(outcomes.at(-1)).toMatchObject({ _tag: "Reported" });
		expect(typesOf(await reelkeep.history())).toEqual(["RecordingReported"]);
		expect(reelkeep.eventStore.faults.unmet()).toEqual([]);
	});

	it("after it wrote: whatever the sender is told, one event is there", async () => {
		reelkeep.eventStore.faults.failNext("append", { when: "after" });
		const outcomes = [await reelkeep.report(), await reelkeep.report()];
		expect(tagsOf(outcomes).at(-1)).toBe("AlreadyReported");
		expect(typesOf(await reelkeep.history())).toEqual(["RecordingReported"]);
		expect(reelkeep.eventStore.faults.unmet()).toEqual([]);
	});

	it("by being slow: a duplicate is not acknowledged before the event is there", async () => {
		reelkeep.eventStore.faults.delayNext("append", 5_000, { times: 2 });
		let answered = 0;
		const reports = [reelkeep.report(), reelkeep.report()];
		for (const each of reports) void each.then(() => (answered += 1));
		await reelkeep.eventStore.faults.whenMet();
		await reelkeep.clock.advance(4_999);
		expect({ answered, recorded: await reelkeep.history() }).toEqual({ answered: 0, recorded: [] });
		await reelkeep.clock.advance(1);
		expect(tagsOf(await Promise.all(reports)).sort()).toEqual(["AlreadyReported", "Reported"]);
		expect(await reelkeep.history()).toHaveLength(1);
	});

	it("by being slower than a report may take: the sender is told to try again", async () => {
		reelkeep.eventStore.faults.delayNext("append", 20_000);
		const report = reelkeep.report();
		await reelkeep.eventStore.faults.whenMet();
		await reelkeep.clock.advance(10_000);
		expect(await report).toMatchObject({ _tag: "Unavailable", reason: "timeout" });
		await reelkeep.clock.advance(10_000);
		expect(await reelkeep.report()).toMatchObject({ _tag: "AlreadyReported" });
	});

	it("to be read: what the test reads goes past that", async () => {
		await reelkeep.report();
		reelkeep.eventStore.faults.failNext("readAll", { times: Number.POSITIVE_INFINITY });
		expect(await reelkeep.history()).toHaveLength(1);
		expect(await reelkeep.until("RecordingReported")).toMatchObject({ type: "RecordingReported" });
	});

	it("by being asked twice: nothing is recorded twice", async () => {
		reelkeep.eventStore.faults.duplicateNext("append");
		expect(await reelkeep.report()).toMatchObject({ _tag: "Reported" });
		expect(await reelkeep.history()).toHaveLength(1);
	});

	it("by showing an event twice: a handler must be able to take it twice", async () => {
		await reelkeep.report();
		const ids: string[] = [];
		reelkeep.eventStore.faults.duplicateNext("readAll", { times: 10 });
		const subscription = reelkeep.subscribe("mail", async (_, { id }) => void ids.push(id));
		await subscription.whenCaughtUp();
		expect(ids).toHaveLength(2);
		expect(new Set(ids).size).toBe(1);
	});
});

describe("other stores that fail", () => {
	it("a checkpoint that is not saved: after a restart the event comes again, under the same id", async () => {
		await reelkeep.report();
		const ids: string[] = [];
		const handle = async (_: unknown, { id }: { readonly id: string }) => void ids.push(id);
		reelkeep.checkpointStore.faults.failNext("save", { times: Number.POSITIVE_INFINITY });
		reelkeep.subscribe("mail", handle);
		await reelkeep.checkpointStore.faults.whenMet();
		await reelkeep.stop();

		const restarted = await startTestReelkeep({ stores: reelkeep });
		await restarted.subscribe("mail", handle).whenCaughtUp();
		expect(ids).toHaveLength(2);
		expect(new Set(ids).size).toBe(1);
		await restarted.stop();

		const third = await startTestReelkeep({ stores: restarted });
		await third.subscribe("mail", handle).whenCaughtUp();
		await third.stop();
		expect(ids).toHaveLength(2);
	});

	it("a keyring: the report is refused until it seals again, and nothing is recorded", async () => {
		reelkeep.keyring.faults.failNext("seal");
		expect(await reelkeep.report()).toMatchObject({ _tag: "Unavailable" });
		expect(await reelkeep.history()).toEqual([]);
		expect(await reelkeep.report()).toMatchObject({ _tag: "Reported" });
	});
});

describe("startTestReelkeep", () => {
	it("takes plugins, which see its ports", async () => {
		let started: unknown;
		const mine: Plugin = {
			name: "mine",
			provides: [],
			needs: [RECEIVE, CLOCK],
			start: async (get) => {
				started = get(CLOCK);
			},
		};
		const clock = createShiftingClock();
		const other = await startTestReelkeep({ plugins: [mine], clock });
		await other[Symbol.asyncDispose]();
		expect(started).toBe(clock);
		expect(() => other.subscribe("mail", async () => undefined)).toThrow("was stopped");
	});

	it.each(["a promise that nobody keeps", "time that nobody moves"])(
		"stops while calls wait for %s",
		async (what) => {
			const until = what.startsWith("time") ? 3_600_000 : new Promise(() => undefined);
			const held = await startTestReelkeep();
			held.checkpointStore.faults.delayNext("save", until);
			held.eventStore.faults.delayNext("append", until, { skip: 1 });
			held.subscribe("mail", async () => undefined);
			await held.report();
			const waiting = held.report({ track_info: "another" });
			await held.eventStore.faults.whenMet();
			await held.clock.advance(60_000);
			await held.checkpointStore.faults.whenMet();
			await held.stop();
			expect(await waiting).toHaveProperty("_tag");
		},
	);

	it("takes what createReelkeep takes", async () => {
		const limited = await startTestReelkeep({ receive: { rateLimit: { reportsPerSecond: 1 } } });
		const outcomes = [await limited.report(), await limited.report()];
		await limited.clock.advance(1_000);
		outcomes.push(await limited.report());
		expect(tagsOf(outcomes)).toEqual(["Reported", "RateLimited", "AlreadyReported"]);
		await limited.stop();
	});
});

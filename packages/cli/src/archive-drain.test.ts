import type { ArchiverPlugin, ArchiverSummary } from "@reelkeep/archiver";
import { createFakeClock, type FakeClock } from "@reelkeep/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { drain } from "./archive-drain.js";

type Idles = Pick<ArchiverPlugin, "whenIdle">;

const MINUTE_MS = 60_000;

let clock: FakeClock;
let stopping: AbortController;
beforeEach(() => {
	clock = createFakeClock();
	stopping = new AbortController();
});

interface Idle extends Omit<ArchiverSummary, "nextAttemptAt"> {
	/** From the moment on at which it is asked. */
	readonly nextInMs?: number;
}

/** Idle at once, each time with the next of these. */
function idles(...summaries: readonly Idle[]) {
	let asked = 0;
	const archiver: Idles = {
		async whenIdle() {
			const { nextInMs, ...summary } = summaries[Math.min(asked, summaries.length - 1)] ?? NOTHING;
			asked += 1;
			return nextInMs === undefined ? summary : { ...summary, nextAttemptAt: clock.now() + nextInMs };
		},
	};
	return { archiver, asked: () => asked };
}

const NOTHING: Idle = { archived: 0, lost: 0, waiting: 0 };

async function drained(archiver: Idles, patienceMs: number) {
	const startedAt = clock.now();
	let ended: { readonly summary: ArchiverSummary; readonly afterMs: number } | undefined;
	const draining = drain(archiver, { patienceMs, clock, signal: stopping.signal }).then((summary) => {
		ended = { summary, afterMs: clock.now() - startedAt };
	});
	for (let minute = 0; minute < 60 && ended === undefined; minute += 1) await clock.advance(MINUTE_MS);
	await draining;
	return ended;
}

describe("a drain", () => {
	it("ends at once when nothing is pending", async () => {
		expect(await drained(idles({ ...NOTHING, archived: 3 }).archiver, MINUTE_MS)).toEqual({
			summary: { archived: 3, lost: 0, waiting: 0 },
			afterMs: 0,
		});
	});

	it("waits for tries that are due within its patience, and looks again", async () => {
		const { archiver } = idles(
			{ ...NOTHING, waiting: 2, nextInMs: 1_000 },
			{ ...NOTHING, waiting: 2, nextInMs: 4_000 },
			{ archived: 1, lost: 1, waiting: 0 },
		);
		expect(await drained(archiver, MINUTE_MS)).toMatchObject({
			summary: { archived: 1, lost: 1 },
			afterMs: 5_000,
		});
	});

	it("does not wait for a try that comes later than that", async () => {
		const { archiver, asked } = idles({ ...NOTHING, waiting: 1, nextInMs: 5 * MINUTE_MS });
		expect(await drained(archiver, MINUTE_MS)).toMatchObject({ summary: { waiting: 1 }, afterMs: 0 });
		expect(asked()).toBe(1);
	});

	it("runs out of patience when nothing comes to rest", async () => {
		const { archiver } = idles({ ...NOTHING, waiting: 1, nextInMs: 25_000 });
		expect((await drained(archiver, MINUTE_MS))?.afterMs).toBe(50_000);
	});

	it("takes new patience when a recording comes to rest", async () => {
		const again = { ...NOTHING, waiting: 1, nextInMs: 40_000 };
		const { archiver } = idles(
			{ ...again, waiting: 2 },
			{ ...again, archived: 1 },
			{ ...again, archived: 1 },
		);
		expect((await drained(archiver, MINUTE_MS))?.afterMs).toBe(80_000);
	});

	it("tries each recording once without any patience", async () => {
		const { archiver, asked } = idles({ ...NOTHING, waiting: 1, nextInMs: 0 });
		await drained(archiver, 0);
		expect(asked()).toBe(1);
	});

	it("does not wait for what nobody has set a time for", async () => {
		expect(await drained(idles({ ...NOTHING, waiting: 1 }).archiver, MINUTE_MS)).toMatchObject({
			afterMs: 0,
		});
	});

	it("ends in the midst of a wait when it is told to", async () => {
		const { archiver } = idles({ ...NOTHING, waiting: 1, nextInMs: 30_000 });
		const draining = drain(archiver, { patienceMs: MINUTE_MS, clock, signal: stopping.signal });
		await clock.advance(10_000);
		stopping.abort("SIGTERM");
		expect(await draining).toMatchObject({ waiting: 1 });
	});
});

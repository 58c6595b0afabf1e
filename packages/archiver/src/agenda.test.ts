import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Agenda, createAgenda } from "./agenda.js";
import type { PendingRecording } from "./pending.js";
import { planRescue } from "./rescue-plan.js";

const NOW = Date.UTC(2026, 10, 23);
const RATE = 10;
const PER_HOST = 2;

/** *Units*: `due` in seconds from `NOW`. */
function pendingOf(stream: string, due: number, of: Partial<PendingRecording> = {}): PendingRecording {
	const deadline = NOW + due * 1_000;
	const newestLink = `${stream} ${due}`;
	return { stream, deadline, host: "a", newestLink, attempts: 0, refusals: 0, metadata: {}, ...of };
}

function agendaOf(...dues: readonly (readonly [stream: string, due: number])[]): Agenda {
	const agenda = createAgenda({ perHost: 100 });
	for (const [stream, due] of dues) agenda.put(stream, pendingOf(stream, due));
	return agenda;
}

const size = (totalBytes: number, heldBytes = 0) => ({ totalBytes, heldBytes });
const takeAll = (agenda: Agenda, now = NOW): readonly string[] => {
	const taken: string[] = [];
	for (let next = agenda.take(now); next !== undefined; next = agenda.take(now)) {
		taken.push(next.isLate ? `${next.pending.stream} late` : next.pending.stream);
	}
	return taken;
};

/** `large` is due first, and loses the other three when it is downloaded: 10 bytes a second. */
function overloaded(): Agenda {
	const agenda = agendaOf(["large", 10], ["one", 11], ["two", 12], ["three", 13]);
	for (const stream of ["one", "two", "three"]) agenda.learn(stream, size(40));
	return agenda;
}

describe("an agenda under overload", () => {
	it("lets a large one keep its turn until it was opened once, and only then give way", () => {
		const agenda = overloaded();
		expect(agenda.plan(NOW, RATE)).toEqual([]);
		expect(agenda.take(NOW)).toMatchObject({ pending: { stream: "large" }, isLate: false });
		expect(agenda.givesWay("large", 100)).toBe(true);
		agenda.release("large");
		expect(takeAll(agenda)).toEqual(["one", "two", "three", "large late"]);
	});

	it("lets one give way that is under way, by the next plan, and tells it once", () => {
		const agenda = overloaded();
		expect(agenda.take(NOW)?.pending.stream).toBe("large");
		agenda.learn("large", size(100));
		expect(agenda.givesWay("large", 100)).toBe(false);
		expect(agenda.plan(NOW, RATE)).toEqual(["large"]);
		agenda.release("large");
		expect(takeAll(agenda).at(-1)).toBe("large late");
		expect(agenda.plan(NOW + 60_000, RATE)).not.toContain("large");
	});

	it("lets none give way whose size nobody knows, though it says that they are at risk", () => {
		const agenda = agendaOf(["a", 1], ["b", 2], ["seen", 900]);
		agenda.learn("seen", size(500));
		expect(agenda.plan(NOW, RATE)).toEqual([]);
		expect(agenda.atRisk().map(({ stream }) => stream)).toEqual(["a", "b"]);
		expect(takeAll(agenda)).toEqual(["a", "b", "seen"]);
	});

	it("keeps a video that is smaller than it was taken to be, or is held for the most part", () => {
		const agenda = agendaOf(["a", 1], ["seen", 900]);
		agenda.learn("seen", size(500));
		agenda.plan(NOW, RATE);
		agenda.take(NOW);
		expect([agenda.givesWay("a", 10), agenda.givesWay("a", undefined)]).toEqual([false, false]);
		expect(agenda.givesWay("a", 500)).toBe(true);
		agenda.learn("a", size(500, 490));
		expect(agenda.givesWay("a", 500)).toBe(false);
	});

	const renewed = (due: number): Agenda => {
		const agenda = overloaded();
		agenda.learn("large", size(100));
		agenda.plan(NOW, RATE);
		expect(agenda.atRisk().map(({ stream }) => stream)).toEqual(["large"]);
		agenda.put("large", pendingOf("large", due));
		return agenda;
	};

	it("does not take one for late any more whose new link lives longer", () => {
		const agenda = renewed(10.5);
		expect(agenda.atRisk()).toEqual([]);
		expect(agenda.take(NOW)).toMatchObject({ pending: { stream: "large" }, isLate: false });
	});

	it("does not let it give way either, before a plan has seen the new deadline", () => {
		expect(renewed(3_600).givesWay("large", 100)).toBe(false);
	});

	it("wants the next ones to end earlier by twice what is still to come of those under way", () => {
		const shared = (due: number): readonly string[] => {
			const agenda = agendaOf(["first", 20], ["next", due]);
			agenda.learn("first", size(100));
			agenda.learn("next", size(101));
			agenda.plan(NOW, RATE);
			agenda.take(NOW);
			agenda.plan(NOW + 6_000, RATE);
			return agenda.atRisk().map(({ stream }) => stream);
		};
		// 20.1 s for both, from 6 s on, and 20 s before its own deadline.
		expect([shared(47), shared(46)]).toEqual([[], ["next"]]);
	});

	it("plans at most every 5 seconds, and not without a measured bandwidth", () => {
		const agenda = overloaded();
		agenda.learn("large", size(100));
		agenda.take(NOW);
		expect(agenda.plan(NOW, undefined)).toEqual([]);
		expect(agenda.plan(NOW, 1_000)).toEqual([]);
		expect(agenda.plan(NOW + 5_003, RATE)).toEqual([]);
		expect(agenda.plan(NOW + 5_004, RATE)).toEqual(["large"]);
	});

	it("plans again when the clock was set back", () => {
		const agenda = agendaOf(["a", 2 * 86_400]);
		agenda.plan(NOW + 86_400_000, RATE);
		agenda.learn("a", size(1_000_000_000));
		agenda.plan(NOW, RATE);
		expect(agenda.atRisk()).toHaveLength(1);
	});

	it("makes no plan of a line that is down", () => {
		const agenda = agendaOf(["a", 86_400], ["b", 86_400]);
		agenda.learn("a", size(100));
		agenda.take(NOW);
		expect(agenda.plan(NOW, 0)).toEqual([]);
		expect(agenda.atRisk()).toEqual([]);
	});

	it("puts, once every size is known, what is not late in deadline order before what is", () => {
		const video = fc.record({ due: fc.integer({ min: 1, max: 30 }), bytes: fc.nat({ max: 90 }) });
		fc.assert(
			fc.property(fc.array(video, { maxLength: 8 }), (all) => {
				const agenda = agendaOf(...all.map(({ due }, index) => [`${index}`, due] as const));
				for (const [index, { bytes }] of all.entries()) agenda.learn(`${index}`, size(bytes));
				agenda.plan(NOW, RATE);
				const taken = takeAll(agenda).map((name) => ({
					...(all[Number.parseInt(name, 10)] ?? { due: 0, bytes: 0 }),
					isLate: name.endsWith("late"),
				}));
				const places = taken.map(({ isLate, due }) => Number(isLate) * 100 + due);
				expect(places).toEqual([...places].sort((left, right) => left - right));
				const planned = [...all].sort((left, right) => left.due - right.due);
				const { late } = planRescue(
					planned.map(({ due, bytes }) => ({ dueAt: due * 1_000, bytes })),
					{ now: 0, bytesPerSecond: RATE },
				);
				expect(taken.filter(({ isLate }) => isLate)).toHaveLength(late.size);
			}),
		);
	});
});

describe("what is late and under way", () => {
	/** `huge` is late on host a, and so is `vast` on host b; both under way. */
	function holding(): Agenda {
		const agenda = createAgenda({ perHost: 1 });
		agenda.put("huge", pendingOf("huge", 100));
		agenda.put("vast", pendingOf("vast", 200, { host: "b" }));
		agenda.learn("huge", size(10_000));
		agenda.learn("vast", size(10_000));
		agenda.plan(NOW, RATE);
		expect(takeAll(agenda)).toEqual(["huge late", "vast late"]);
		return agenda;
	}

	it("stays as long as nothing else is due", () => {
		const agenda = holding();
		agenda.put("later", pendingOf("later", 50, { nextAttemptAt: NOW + 10 }));
		expect([agenda.makeRoom(NOW, true), agenda.makeRoom(NOW, false)]).toEqual([[], []]);
		expect(agenda.makeRoom(NOW + 10, false)).toEqual(["huge"]);
	});

	it("gives way to what is due on its host, once", () => {
		const agenda = holding();
		agenda.put("urgent", pendingOf("urgent", 50));
		expect([agenda.makeRoom(NOW, false), agenda.makeRoom(NOW, false)]).toEqual([["huge"], []]);
		agenda.release("huge");
		expect(takeAll(agenda)).toEqual(["urgent"]);
		expect(agenda.makeRoom(NOW, false)).toEqual([]);
	});

	it("gives way to what is due on any host when no place is left, the one that has most time first", () => {
		const agenda = holding();
		agenda.put("urgent", pendingOf("urgent", 50, { host: "c" }));
		expect(agenda.makeRoom(NOW, true)).toEqual(["vast"]);
	});
});

describe("an agenda", () => {
	it("lets a probe be one that was never tried, or else the longest ago", () => {
		const agenda = agendaOf(["never", 9]);
		agenda.put("tried", pendingOf("tried", 3, { nextAttemptAt: NOW - 1 }));
		agenda.put("earlier", pendingOf("earlier", 4, { nextAttemptAt: NOW - 2 }));
		const probes = [1, 2, 3, 4].map(() => agenda.takeProbe(NOW)?.pending.stream);
		expect(probes).toEqual(["never", "earlier", "tried", undefined]);
	});

	it("lets no probe be one that is late, as long as there is another", () => {
		const agenda = createAgenda({ perHost: 1 });
		agenda.put("late", pendingOf("late", 100));
		agenda.learn("late", size(10_000));
		agenda.put("tried", pendingOf("tried", 50, { nextAttemptAt: NOW - 1 }));
		agenda.plan(NOW, RATE);
		expect(agenda.takeProbe(NOW)?.pending.stream).toBe("tried");
		expect(agenda.makeRoom(NOW, true)).toEqual([]);
		agenda.put("tried", undefined);
		agenda.release("tried");
		expect(agenda.takeProbe(NOW)).toMatchObject({ pending: { stream: "late" }, isLate: true });
	});

	it("is the same after it made its queues anew", () => {
		const agenda = agendaOf(["busy", 1], ["a", 2], ["b", 3]);
		agenda.take(NOW);
		agenda.put("c", pendingOf("c", 4, { nextAttemptAt: NOW + 10 }));
		for (let times = 0; times < 10_000; times += 1) agenda.put("b", pendingOf("b", 3));
		expect(agenda.nextDueAt(NOW)).toBe(NOW);
		expect(takeAll(agenda)).toEqual(["a", "b"]);
		expect(agenda.nextDueAt(NOW)).toBe(NOW + 10);
		expect(takeAll(agenda, NOW + 10)).toEqual(["c"]);
	});

	it("forgets what rests, also where there is never a plan", async () => {
		setFlagsFromString("--expose-gc");
		const agenda = createAgenda({ perHost: 1 });
		const once = (stream: string): WeakRef<PendingRecording> => {
			const pending = pendingOf(stream, 1);
			agenda.put(stream, pending);
			agenda.take(NOW);
			agenda.put(stream, undefined);
			agenda.release(stream);
			return new WeakRef(pending);
		};
		const refs = ["a", "b", "c", "d"].map(once);
		await new Promise((resolve) => setImmediate(resolve));
		runInNewContext("gc")();
		// One may still stand in a register; the agenda itself has to live up to here.
		expect(refs.filter((ref) => ref.deref() !== undefined).length + takeAll(agenda).length).toBeLessThan(2);
	});

	it("takes about as long for each of 100,000 as for each of 1,000", () => {
		const costOf = (count: number): number => {
			const agenda = createAgenda({ perHost: 1_000 });
			const put = (serial: number): void => {
				const host = `host-${serial % 8}`;
				agenda.put(`${serial}`, pendingOf(`${serial}`, (serial * 7_919) % count, { host }));
			};
			let serial = 0;
			while (serial < count) put(serial++);
			const rounds = Array.from({ length: 7 }, () => {
				const startedAt = performance.now();
				for (let times = 0; times < 1_000; times += 1) {
					const { stream = "" } = agenda.take(NOW)?.pending ?? {};
					agenda.put(stream, undefined);
					agenda.release(stream);
					put(serial);
					put(serial++);
				}
				return performance.now() - startedAt;
			});
			return Math.min(...rounds);
		};
		costOf(1_000);
		// Passing over everything each time would make it a hundred times as long.
		expect(costOf(100_000) / costOf(1_000)).toBeLessThan(25);
	}, 60_000);
});

const at = fc.nat({ max: 5 });
const steps = fc.oneof(
	fc.record({
		_tag: fc.constant("put" as const),
		at,
		due: fc.nat({ max: 4 }),
		host: fc.constantFrom("a", "b"),
		afterMs: fc.option(fc.nat({ max: 20 }), { nil: undefined }),
	}),
	fc.record({ _tag: fc.constantFrom("rest" as const, "release" as const), at }),
	fc.record({ _tag: fc.constantFrom("take" as const, "takeProbe" as const), ms: fc.nat({ max: 9 }) }),
);

it("an agenda does what sorting everything each time would do, whatever rests and reopens under way", () => {
	fc.assert(
		fc.property(fc.array(steps, { maxLength: 60 }), (script) => {
			const agenda = createAgenda({ perHost: PER_HOST });
			const pending = new Map<string, PendingRecording>();
			const underway = new Map<string, string>();
			const best = (now: number, isProbe = false): readonly PendingRecording[] => {
				const due = [...pending.values()].filter(({ stream, host, nextAttemptAt = 0 }) => {
					const busy = [...underway.values()].filter((other) => other === host).length;
					return nextAttemptAt <= now && !underway.has(stream) && busy < PER_HOST;
				});
				const triedAt = Math.min(...due.map(({ nextAttemptAt = 0 }) => nextAttemptAt));
				const among = due.filter(({ nextAttemptAt = 0 }) => !isProbe || nextAttemptAt === triedAt);
				// What is dead goes behind what lives.
				const rank = ({ deadline }: PendingRecording): number => deadline + (deadline <= now ? 1e9 : 0);
				const first = Math.min(...among.map(rank));
				return among.filter((each) => rank(each) === first);
			};
			let now = NOW;
			for (const step of script) {
				if ("ms" in step) {
					const dueAt = agenda.nextDueAt(now);
					for (let then = now; then < Math.min(dueAt, now + 25); then += 1) expect(best(then)).toEqual([]);
					now += step.ms;
					const among = best(now, step._tag === "takeProbe");
					const taken = agenda[step._tag](now)?.pending;
					if (taken === undefined) expect(among).toEqual([]);
					else expect(among).toContain(taken);
					if (taken !== undefined) underway.set(taken.stream, taken.host);
					continue;
				}
				const stream = `${step.at}`;
				if (step._tag === "release") {
					agenda.release(stream);
					underway.delete(stream);
					continue;
				}
				if (!("due" in step)) pending.delete(stream);
				else {
					const { due, host, afterMs } = step;
					const later = afterMs === undefined ? {} : { nextAttemptAt: now + afterMs };
					pending.set(stream, pendingOf(stream, due, { host, ...later }));
				}
				agenda.put(stream, pending.get(stream));
			}
		}),
		{ numRuns: 500 },
	);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fullPace } from "./host-pace.js";
import { createHostQueues, type QueueKey } from "./host-queues.js";

const PER_HOST = 2;

interface Item {
	readonly name: string;
}

const key = (of: Partial<QueueKey> = {}): QueueKey => ({
	host: "a",
	isLate: false,
	deadline: 100,
	bytes: 0,
	...of,
});
const item = (name: string): Item => ({ name });
const order = ({ isLate, deadline, bytes }: QueueKey): readonly number[] => [Number(isLate), deadline, bytes];
const compare = (left: QueueKey, right: QueueKey): number => {
	const other = order(right);
	return order(left)
		.map((value, index) => value - (other[index] ?? 0))
		.reduce((first, next) => first || next, 0);
};

function queuesWith(...entries: readonly (readonly [string, Partial<QueueKey>])[]) {
	const queues = createHostQueues<Item>({ perHost: PER_HOST });
	for (const [name, of] of entries) queues.put(item(name), key(of));
	const takeAll = (now: number): readonly (string | undefined)[] => {
		const names: string[] = [];
		for (let taken = queues.take(now); taken !== undefined; taken = queues.take(now)) names.push(taken.name);
		return names;
	};
	return { queues, takeAll };
}

describe("queues by host", () => {
	it("give what is not late first, then the earliest deadline, then the smallest, whatever the host", () => {
		const { queues } = queuesWith(
			["late", { isLate: true, deadline: 1, host: "b" }],
			["large", { deadline: 50, bytes: 9 }],
			["small", { deadline: 50, bytes: 8, host: "b" }],
			["early", { deadline: 49, bytes: 10, host: "c" }],
		);
		const names = [1, 2, 3, 4, 5].map(() => queues.take(0)?.name);
		expect(names).toEqual(["early", "small", "large", "late", undefined]);
	});

	it("give no more of one host than it may have under way, and another one for each that is released", () => {
		const { queues, takeAll } = queuesWith(["1", {}], ["2", {}], ["3", {}], ["other", { host: "b" }]);
		const first = queues.take(0);
		expect(takeAll(0)).toHaveLength(2);
		expect(queues.nextDueAt(0)).toBe(Number.POSITIVE_INFINITY);
		if (first !== undefined) queues.release(first);
		expect(queues.nextDueAt(0)).toBe(0);
		expect(takeAll(0)).toHaveLength(1);
	});

	it("count each release once, and none of what was never taken", () => {
		const { queues, takeAll } = queuesWith(["1", {}], ["2", {}], ["3", {}], ["4", {}]);
		const first = queues.take(0);
		expect(takeAll(0)).toHaveLength(1);
		if (first !== undefined) for (let times = 0; times < 3; times += 1) queues.release(first);
		queues.release(item("stranger"));
		expect(takeAll(0)).toHaveLength(1);
	});

	it("have one place for each item: the last", () => {
		const { queues } = queuesWith();
		const one = item("one");
		queues.put(one, key({ deadline: 1 }));
		queues.put(one, key({ deadline: 3, nextAttemptAt: 10 }));
		queues.put(item("two"), key({ deadline: 2 }));
		expect([queues.take(9)?.name, queues.take(9)]).toEqual(["two", undefined]);
		expect(queues.nextDueAt(9)).toBe(10);
		expect([queues.take(10)?.name, queues.take(10)]).toEqual(["one", undefined]);
	});

	it("forget what is removed", () => {
		const { queues } = queuesWith();
		const [one, two] = [item("one"), item("two")];
		queues.put(one, key());
		queues.put(two, key({ nextAttemptAt: 5 }));
		queues.remove(one);
		queues.remove(two);
		expect(queues.nextDueAt(0)).toBe(Number.POSITIVE_INFINITY);
		expect(queues.take(100)).toBeUndefined();
	});

	it("let a host rest for as long as its pace says, and ask the others meanwhile", () => {
		const { queues, takeAll } = queuesWith(["1", {}], ["2", {}], ["other", { host: "b", deadline: 900 }]);
		queues.setPace("a", { limit: 1, pausedUntil: 50, strikes: 1 });
		expect(queues.pace("a")).toEqual({ limit: 1, pausedUntil: 50, strikes: 1 });
		expect(queues.pace("unheard-of")).toEqual(fullPace(PER_HOST));
		expect(takeAll(49)).toEqual(["other"]);
		expect(queues.nextDueAt(49)).toBe(50);
		expect(takeAll(50)).toHaveLength(1);
		expect(queues.nextDueAt(50)).toBe(Number.POSITIVE_INFINITY);
	});

	it("ask a host within its pause for one that would die within it, one at a time", () => {
		const { queues } = queuesWith(
			["1", { deadline: 40 }],
			["2", { deadline: 41 }],
			["later", { deadline: 60 }],
		);
		queues.setPace("a", { ...fullPace(PER_HOST), pausedUntil: 50 });
		expect(queues.nextDueAt(9)).toBe(9);
		const first = queues.take(9);
		expect([first?.name, queues.take(9)]).toEqual(["1", undefined]);
		if (first !== undefined) queues.release(first);
		expect(queues.take(10)?.name).toBe("2");
		expect(queues.nextDueAt(10)).toBe(50);
	});

	it("put what died while it waited behind what lives", () => {
		const { takeAll } = queuesWith(
			["dead", { deadline: 10, host: "a" }],
			["late", { deadline: 30, host: "b", isLate: true }],
			["living", { deadline: 20, host: "c" }],
		);
		expect(takeAll(10)).toEqual(["living", "dead", "late"]);
	});

	it("tell the hosts for which something is due that is not late, full or not", () => {
		const { queues } = queuesWith(
			["1", {}],
			["2", {}],
			["3", {}],
			["b", { host: "b", isLate: true }],
			["c", { host: "c" }],
			["d", { host: "d", nextAttemptAt: 5 }],
		);
		queues.take(0);
		queues.take(0);
		queues.setPace("c", { ...fullPace(PER_HOST), pausedUntil: 3 });
		expect(queues.urgent(0)).toEqual([{ host: "a", isFull: true }]);
		expect(queues.urgent(5)).toEqual([
			{ host: "a", isFull: true },
			{ host: "c", isFull: false },
			{ host: "d", isFull: false },
		]);
	});

	it("keep, when they are cleared, the pace of a host and what is under way there", () => {
		const { queues, takeAll } = queuesWith(
			["1", {}],
			["2", {}],
			["b1", { host: "b" }],
			["b2", { host: "b" }],
		);
		queues.setPace("b", { limit: 1, pausedUntil: 7, strikes: 1 });
		expect(takeAll(0)).toHaveLength(2);
		queues.clear();
		expect(queues.nextDueAt(0)).toBe(Number.POSITIVE_INFINITY);
		for (const host of ["a", "b", "b"]) queues.put(item(host), key({ host }));
		expect(takeAll(6)).toEqual([]);
		expect(takeAll(7)).toEqual(["b"]);
	});

	it("keep, when they are cleared, the pause of a host that has given videos since", () => {
		const { queues, takeAll } = queuesWith();
		queues.setPace("a", { ...fullPace(PER_HOST), pausedUntil: 50 });
		queues.clear();
		queues.put(item("1"), key());
		expect(takeAll(49)).toEqual([]);
	});

	it("are littered only by places that are out of date, and not once they are made anew", () => {
		const { queues } = queuesWith();
		const items = Array.from({ length: 5_000 }, (_, index) => item(`${index}`));
		for (const each of items) queues.put(each, key());
		expect(queues.isLittered()).toBe(false);
		for (let times = 0; times < 3; times += 1) for (const each of items) queues.put(each, key());
		expect(queues.isLittered()).toBe(true);
		queues.clear();
		for (const each of items) queues.put(each, key());
		expect(queues.isLittered()).toBe(false);
	});
});

type Step =
	| { readonly _tag: "put"; readonly item: number; readonly key: QueueKey }
	| { readonly _tag: "remove" | "release"; readonly item: number }
	| { readonly _tag: "take" | "wait"; readonly ms: number }
	| {
			readonly _tag: "pace";
			readonly host: string;
			readonly limit: number;
			readonly pauseMs: number;
	  }
	| { readonly _tag: "renew" };

const ITEMS = 8;
const hosts = fc.constantFrom("a", "b", "c");
const items = fc.nat({ max: ITEMS - 1 });
const keys = fc
	.record({
		host: hosts,
		isLate: fc.boolean(),
		deadline: fc.constantFrom(1, 10, 20, 40, 80, 160),
		bytes: fc.nat({ max: 3 }),
		nextAttemptAt: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
	})
	.map(({ nextAttemptAt, ...rest }) => (nextAttemptAt === undefined ? rest : { ...rest, nextAttemptAt }));
const take = fc.record({ _tag: fc.constant("take" as const), ms: fc.nat({ max: 4 }) });
const steps: fc.Arbitrary<Step> = fc.oneof(
	fc.record({ _tag: fc.constant("put" as const), item: items, key: keys }),
	take,
	take,
	fc.record({ _tag: fc.constantFrom("remove" as const, "release" as const), item: items }),
	fc.record({ _tag: fc.constant("wait" as const), ms: fc.nat({ max: 30 }) }),
	fc.record({
		_tag: fc.constant("pace" as const),
		host: hosts,
		limit: fc.integer({ min: 1, max: PER_HOST }),
		pauseMs: fc.nat({ max: 20 }),
	}),
	fc.record({ _tag: fc.constant("renew" as const) }),
);

/** Everything in one map, looked through from its beginning each time. */
function createNaive() {
	const places = new Map<number, QueueKey>();
	const underway = new Map<number, string>();
	const paces = new Map<string, { readonly limit: number; readonly pausedUntil: number }>();
	/** What is dead by now goes behind. */
	const asOf = (now: number, each: QueueKey): QueueKey => ({
		...each,
		isLate: each.isLate || each.deadline <= now,
	});
	const isOpen = (first: QueueKey, now: number): boolean => {
		const { host, deadline } = first;
		const { limit, pausedUntil } = paces.get(host) ?? { limit: PER_HOST, pausedUntil: 0 };
		const busy = [...underway.values()].filter((other) => other === host).length;
		const diesWithin = busy === 0 && deadline > now && deadline <= pausedUntil;
		return busy < limit && (pausedUntil <= now || diesWithin);
	};
	return {
		places,
		underway,
		paces,
		/** All that may be taken first: of equal ones any. */
		best(now: number): readonly number[] {
			const due = [...places]
				.filter(([, { nextAttemptAt = 0 }]) => nextAttemptAt <= now)
				.map(([at, each]) => [at, asOf(now, each)] as const)
				.sort(([, left], [, right]) => compare(left, right));
			const firsts = due.filter(
				([, { host }], index) => due.findIndex(([, other]) => other.host === host) === index,
			);
			const first = firsts.find(([, each]) => isOpen(each, now))?.[1];
			const isEqual = (each: QueueKey): boolean => {
				const ofHost = firsts.find(([, { host }]) => host === each.host)?.[1];
				return (
					ofHost !== undefined && isOpen(ofHost, now) && first !== undefined && compare(each, first) === 0
				);
			};
			return due.flatMap(([at, each]) => (isEqual(each) ? [at] : []));
		},
	};
}

it("queues by host do what sorting everything each time would do", () => {
	fc.assert(
		fc.property(fc.array(steps, { maxLength: 80 }), (script) => {
			const all = Array.from({ length: ITEMS }, (_, index) => item(`${index}`));
			const queues = createHostQueues<Item>({ perHost: PER_HOST });
			const naive = createNaive();
			let now = 0;
			const of = (index: number): Item => all[index] as Item;
			for (const step of script) {
				switch (step._tag) {
					case "put":
						// Who puts in keeps what is under way out: that is the agenda's matter.
						if (naive.underway.has(step.item)) break;
						queues.put(of(step.item), step.key);
						naive.places.set(step.item, step.key);
						break;
					case "remove":
						queues.remove(of(step.item));
						naive.places.delete(step.item);
						break;
					case "release":
						queues.release(of(step.item));
						naive.underway.delete(step.item);
						break;
					case "wait":
						now += step.ms;
						break;
					case "pace": {
						const { host, limit, pauseMs } = step;
						queues.setPace(host, { limit, pausedUntil: now + pauseMs, strikes: 1 });
						naive.paces.set(host, { limit, pausedUntil: now + pauseMs });
						break;
					}
					case "renew":
						queues.clear();
						for (const [at, each] of naive.places) queues.put(of(at), each);
						break;
					case "take": {
						const dueAt = queues.nextDueAt(now);
						for (let at = now; at < Math.min(dueAt, now + 70); at += 1) expect(naive.best(at)).toEqual([]);
						now += step.ms;
						const best = naive.best(now);
						const taken = queues.take(now);
						if (taken === undefined) {
							expect(best).toEqual([]);
							// Or the loop that waits for it would spin.
							expect(queues.nextDueAt(now)).toBeGreaterThan(now);
							break;
						}
						const index = all.indexOf(taken);
						expect(best).toContain(index);
						naive.underway.set(index, naive.places.get(index)?.host ?? "");
						naive.places.delete(index);
					}
				}
			}
		}),
		{ numRuns: 500 },
	);
});

// Faults that a test plans for the calls of a store: each is taken by one call, in the order in which they were planned.

import { type Clock, storeFault } from "@reelkeep/core/ports";

/** Plans what goes wrong. A fault is taken by the next call of its name that has none yet; then all is well again. */
export interface Faults<Call extends string, Torn extends Call = never> {
	/**
	 * The next call rejects.
	 * *Shape*: `when` is `before` (default): nothing was done; `after`: all was done, and nobody is told: an outcome that is
	 * unknown. `times`: that many calls, default 1. `error`: default a `StoreFault` of reason `io`, or what the port
	 * says of its own.
	 */
	failNext(
		call: Call,
		options?: { readonly when?: "before" | "after"; readonly times?: number; readonly error?: Error },
	): void;
	/** The next call begins `ms` late, by the clock that the faults were made with. */
	delayNext(call: Call, ms: number): void;
	/** The next call waits at its beginning until it is released. */
	holdNext(call: Call): HeldCall;
	/** The next call is carried out twice, as by a client that did not hear the first answer; the second answer counts. */
	duplicateNext(call: Call): void;
	/**
	 * Of what the next call writes or reads the first half is done (of one piece: none), then it rejects. Of an append that
	 * is more than a store may do wrong: it shows what a test, or a suite, says of a broken one.
	 */
	tearNext(call: Torn): void;
	/** How many faults wait for their call: 0 once all were taken. */
	readonly planned: number;
	/** Forgets all that wait, and releases what is held. */
	clear(): void;
}

/** A call that is held up. */
export interface HeldCall {
	/** Resolves when the call is there and waits. */
	readonly reached: Promise<void>;
	release(): void;
}

export interface FaultsOptions {
	/** Of delays. Default: the system's timers. */
	readonly clock?: Pick<Clock, "sleep">;
}

type Fault =
	| { readonly _tag: "Fail"; readonly when: "before" | "after"; readonly error: Error }
	| { readonly _tag: "Wait"; readonly wait: () => Promise<void> }
	| { readonly _tag: "Duplicate" }
	| { readonly _tag: "Tear"; readonly error: Error };

/** What carries out the calls of a faulty port. */
export interface FaultedCalls<Call extends string> {
	/** A call with a promise. `half`: does the first half of it. */
	run<Result>(call: Call, work: () => Promise<Result>, half?: () => Promise<unknown>): Promise<Result>;
	/** A call that yields. */
	iterate<Item>(call: Call, source: AsyncIterable<Item>): AsyncIterable<Item>;
}

const systemSleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes a plan of faults, and what carries calls out by it. `failure` makes the error of a call that says none. */
export function createFaults<Call extends string, Torn extends Call = never>(
	{ clock = { sleep: systemSleep } }: FaultsOptions = {},
	failure: (call: Call) => Error = (call) => storeFault("io", `a planned fault of ${call}`),
): { readonly faults: Faults<Call, Torn>; readonly calls: FaultedCalls<Call> } {
	const planned = new Map<Call, Fault[]>();
	const held = new Set<() => void>();
	const plan = (call: Call, fault: Fault): void =>
		void planned.set(call, [...(planned.get(call) ?? []), fault]);
	const take = (call: Call): Fault | undefined => planned.get(call)?.shift();

	const faults: Faults<Call, Torn> = {
		failNext(call, { when = "before", times = 1, error = failure(call) } = {}) {
			for (let time = 0; time < times; time += 1) plan(call, { _tag: "Fail", when, error });
		},
		delayNext: (call, ms) => plan(call, { _tag: "Wait", wait: () => clock.sleep(ms) }),
		holdNext(call) {
			const reached = gate();
			const released = gate();
			const release = (): void => {
				held.delete(release);
				released.open();
			};
			held.add(release);
			const wait = (): Promise<void> => {
				reached.open();
				return released.opened;
			};
			plan(call, { _tag: "Wait", wait });
			return { reached: reached.opened, release };
		},
		duplicateNext: (call) => plan(call, { _tag: "Duplicate" }),
		tearNext: (call) => plan(call, { _tag: "Tear", error: failure(call) }),
		get planned() {
			return [...planned.values()].reduce((count, waiting) => count + waiting.length, 0);
		},
		clear() {
			planned.clear();
			for (const release of [...held]) release();
		},
	};
	return { faults, calls: { run, iterate } };

	async function run<Result>(
		call: Call,
		work: () => Promise<Result>,
		half?: () => Promise<unknown>,
	): Promise<Result> {
		const fault = take(call);
		if (fault === undefined) return work();
		if (fault._tag === "Wait") await fault.wait();
		if (fault._tag === "Fail" && fault.when === "before") throw fault.error;
		if (fault._tag === "Tear") {
			await half?.();
			throw fault.error;
		}
		// Rejected too, as its answer was not heard.
		if (fault._tag === "Duplicate") await work().catch(() => undefined);
		const result = await work();
		if (fault._tag === "Fail") throw fault.error;
		return result;
	}

	async function* iterate<Item>(call: Call, source: AsyncIterable<Item>): AsyncGenerator<Item> {
		const fault = take(call);
		if (fault?._tag === "Wait") await fault.wait();
		if (fault?._tag === "Fail" && fault.when === "before") throw fault.error;
		if (fault?._tag === "Tear") {
			const items: Item[] = [];
			for await (const item of source) items.push(item);
			yield* items.slice(0, Math.floor(items.length / 2));
			throw fault.error;
		}
		for await (const item of source) {
			yield item;
			if (fault?._tag === "Duplicate") yield item;
		}
		if (fault?._tag === "Fail") throw fault.error;
	}
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
	let open = (): void => undefined;
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	return { opened, open };
}

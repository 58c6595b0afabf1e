// Which calls of a port go wrong, and how: planned by a test, met by its calls in their order.

/** Which calls meet a fault. Faults of one method queue up: the second that is planned begins where the first ends. */
export interface FaultedCalls {
	/** So many calls in a row; `Infinity` for all that come, until `clear`. Default 1. */
	readonly times?: number;
	/** So many calls before them go well. Default 0. */
	readonly skip?: number;
}

/**
 * - `before` (default): nothing is done
 * - `after`: it is done, and the caller does not hear of it: an unknown outcome
 */
export type FaultMoment = "before" | "after";

/** Plans what goes wrong with the next calls of a port's methods; each call meets one fault at most. */
export interface Faults<Method extends string> {
	/** Rejects, by default with the port's own retryable fault. A reading rejects before its first item, or behind its last. */
	failNext(
		method: Method,
		options?: FaultedCalls & { readonly when?: FaultMoment; readonly error?: Error },
	): void;
	/**
	 * Waits before the call is made (`after`: before its answer is given): so many milliseconds by the port's clock, or until
	 * a promise settles, either way. Calls that come later overtake it.
	 */
	delayNext(
		method: Method,
		until: number | PromiseLike<unknown>,
		options?: FaultedCalls & { readonly when?: FaultMoment },
	): void;
	/**
	 * Makes the call twice, and gives the first answer, whatever became of the second. Breaks the contract of readings: each item
	 * comes twice.
	 */
	duplicateNext(method: Method, options?: FaultedCalls): void;
	/**
	 * Breaks the contract: keeps only a part and says that all went well, or with `fails` rejects. Of a list or a chunk that is
	 * handed in, the first `keep` events or bytes; a reading ends in good order behind so many items.
	 * *Errors*: throws a `TypeError` for a method that is none of these, as `save`.
	 */
	tearNext(method: Method, keep: number, options?: FaultedCalls & { readonly fails?: boolean }): void;
	/** Forgets what is planned, and lets go on what waits. */
	clear(): void;
	/**
	 * The methods of planned faults that not all their calls have met: a test that ends with one has not shown what it wanted to.
	 * Met is what came about: not the end of a reading that its reader breaks off, nor a tear where there was no more to keep.
	 */
	unmet(): readonly Method[];
	/** Resolves when `unmet` is empty, if it comes to that: then move a clock on, or let go what was held. */
	whenMet(): Promise<void>;
	/** How many calls came, whoever made them. */
	calls(method: Method): number;
}

type Fault =
	| { readonly _tag: "Fail"; readonly when: FaultMoment; readonly error: Error }
	| {
			readonly _tag: "Delay";
			readonly when: FaultMoment;
			readonly until: number | Promise<void>;
			/** Aborts with `clear`. */
			readonly released: AbortSignal;
	  }
	| { readonly _tag: "Duplicate" }
	| { readonly _tag: "Tear"; readonly keep: number; readonly error: Error | undefined };

/** What a call is to meet; it says when it does. */
export interface DueFault {
	readonly fault: Fault;
	readonly met: () => void;
}

interface Planned {
	readonly method: string;
	/** Of the method's calls, counted from 0: the first one, and the one behind the last. */
	readonly from: number;
	readonly upTo: number;
	readonly fault: Fault;
	/** Calls that are to meet it yet; of endless ones, the first. */
	left: number;
}

/** Makes an empty plan; `next` counts a call, and says what it is to meet. */
export function createFaults<Method extends string>({
	makeError,
	canTear,
}: {
	readonly makeError: () => Error;
	readonly canTear: (method: Method) => boolean;
}): { readonly faults: Faults<Method>; next(method: string): DueFault | undefined } {
	const calls = new Map<string, number>();
	const waiting: (() => void)[] = [];
	let planned: Planned[] = [];
	let release = new AbortController();
	const plan = (method: Method, fault: Fault, { times = 1, skip = 0 }: FaultedCalls = {}): void => {
		check("times", times, 1);
		check("skip", skip, 0);
		const begin = planned.reduce(
			(soFar, each) => (each.method === method ? Math.max(soFar, each.upTo) : soFar),
			calls.get(method) ?? 0,
		);
		const left = times === Number.POSITIVE_INFINITY ? 1 : times;
		planned.push({ method, from: begin + skip, upTo: begin + skip + times, fault, left });
	};
	const unmet = (): readonly Method[] =>
		planned.filter(({ left }) => left > 0).map(({ method }) => method as Method);
	const tellMet = (): void => {
		if (unmet().length === 0) for (const tell of waiting.splice(0)) tell();
	};
	return {
		next(method) {
			const call = calls.get(method) ?? 0;
			calls.set(method, call + 1);
			const due = planned.find((each) => each.method === method && each.from <= call && call < each.upTo);
			if (due === undefined) return undefined;
			let isMet = false;
			const met = (): void => {
				if (!isMet) due.left -= 1;
				isMet = true;
				tellMet();
			};
			return { fault: due.fault, met };
		},
		faults: {
			failNext(method, { when = "before", error = makeError(), ...which } = {}) {
				plan(method, { _tag: "Fail", when, error }, which);
			},
			delayNext(method, until, { when = "before", ...which } = {}) {
				const wait = typeof until === "number" ? until : settled(until);
				plan(method, { _tag: "Delay", when, until: wait, released: release.signal }, which);
			},
			duplicateNext(method, which) {
				plan(method, { _tag: "Duplicate" }, which);
			},
			tearNext(method, keep, { fails = false, ...which } = {}) {
				check("keep", keep, 0);
				if (!canTear(method)) throw new TypeError(`${method} has nothing that a part could be kept of`);
				plan(method, { _tag: "Tear", keep, error: fails ? makeError() : undefined }, which);
			},
			clear() {
				planned = [];
				release.abort();
				release = new AbortController();
				tellMet();
			},
			unmet,
			whenMet: () =>
				new Promise((resolve) => {
					waiting.push(resolve);
					tellMet();
				}),
			calls: (method) => calls.get(method) ?? 0,
		},
	};
}

/** That a test's own promise rejects is the test's to look at, and no answer of a store. */
function settled(work: PromiseLike<unknown>): Promise<void> {
	const ignore = (): void => undefined;
	return Promise.resolve(work).then(ignore, ignore);
}

function check(option: string, value: number, least: number): void {
	const isCount = Number.isInteger(value) || (option === "times" && value === Number.POSITIVE_INFINITY);
	if (!isCount || value < least) throw new RangeError(`${option} must be a whole number from ${least} up`);
}

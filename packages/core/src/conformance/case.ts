// What a conformance suite is made of: cases as data, for whatever test runner.

/** One clause of a port's contract, checked against one implementation. */
export interface ConformanceCase {
	/** Stable name of the clause. */
	readonly clause: string;
	/** A sentence in the present tense. */
	readonly name: string;
	/** Rejects with a `ConformanceError` when the clause is broken. `not-supported`: the implementation says it cannot. */
	run(): Promise<"passed" | "not-supported">;
}

/** A clause as its suite lists it: what is checked of `Subject`, and what must be supported for that. */
export type Clause<Subject, Harness, Need = never> = readonly [
	clause: string,
	name: string,
	check: (subject: Subject, harness: Harness) => Promise<void>,
	...needs: readonly Need[],
];

export interface CasesOptions<Subject, Harness, Need> {
	/** Makes what is checked ready for work. */
	open(harness: Harness): Promise<Subject> | Subject;
	/** Whether the implementation, or its harness, says that it can do `need`. */
	supports(need: Need, subject: Subject, harness: Harness): boolean;
	/** Ends what was opened. */
	end?(subject: Subject, harness: Harness): Promise<void>;
}

/** The cases of a suite; each makes a harness of its own, and disposes of it. */
export function createCases<Subject, Harness extends { dispose(): Promise<void> }, Need>(
	clauses: readonly Clause<Subject, Harness, Need>[],
	makeHarness: () => Promise<Harness>,
	{ open, supports, end }: CasesOptions<Subject, Harness, Need>,
): readonly ConformanceCase[] {
	return clauses.map(([clause, name, check, ...needs]) => ({
		clause,
		name,
		async run() {
			const harness = await makeHarness();
			try {
				const subject = await open(harness);
				try {
					if (!needs.every((need) => supports(need, subject, harness))) return "not-supported";
					await check(subject, harness);
					return "passed";
				} finally {
					await end?.(subject, harness);
				}
			} finally {
				await harness.dispose();
			}
		},
	}));
}

export class ConformanceError extends Error {
	readonly _tag = "ConformanceError";

	constructor(message: string) {
		super(message);
		this.name = "ConformanceError";
	}
}

export function assert(condition: boolean, message: string): asserts condition {
	if (!condition) throw new ConformanceError(message);
}

/** Compares as JSON: what a store keeps. */
export function assertSame(actual: unknown, expected: unknown, message: string): void {
	const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)];
	assert(is === shouldBe, `${message}: is ${shorten(is)}, must be ${shorten(shouldBe)}`);
}

/** What `work` throws or rejects with; `undefined` when it does neither. Calls it at once. */
export async function rejectionOf(work: () => Promise<unknown>): Promise<unknown> {
	try {
		await work();
		return undefined;
	} catch (error) {
		return error;
	}
}

/** Fails unless `work` throws or rejects with what says that the caller made a mistake. `what` names the work. */
export async function assertMistake(work: () => Promise<unknown>, what: string): Promise<void> {
	const error = await rejectionOf(work);
	const isMistake = error instanceof TypeError || error instanceof RangeError;
	const told = error === undefined ? "with nothing: it is accepted" : `with ${describeError(error)}`;
	assert(isMistake, `${what} must reject with a TypeError or a RangeError, and rejects ${told}`);
}

/** A value as the caller of a port may pass it, also where JSON has nothing for it. */
export function describeValue(value: unknown): string {
	return typeof value === "string" ? shorten(JSON.stringify(value), 40) : String(value);
}

/** For messages: an error may be anything that is thrown. */
function describeError(error: unknown): string {
	return shorten(error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error));
}

/** Fails unless `value` is frozen, and all that it holds: nobody can change it, at whatever path. */
export function assertFrozen(value: unknown, what: string, path = ""): void {
	if (typeof value !== "object" || value === null) return;
	const place = path === "" ? what : `${path} of ${what}`;
	assert(Object.isFrozen(value), `${place} is not frozen: it must be, and all that it holds`);
	for (const [key, member] of Object.entries(value)) {
		assertFrozen(member, what, path === "" ? key : `${path}.${key}`);
	}
}

function shorten(text = "undefined", characters = 300): string {
	return text.length > characters ? `${text.slice(0, characters)}…` : text;
}

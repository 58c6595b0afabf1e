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

/** Whether `error` says that the caller made a mistake. */
export function isMistake(error: unknown): boolean {
	return error instanceof TypeError || error instanceof RangeError;
}

function shorten(json: string | undefined): string {
	const text = json ?? "undefined";
	return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

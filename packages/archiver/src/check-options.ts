// What the numbers among the options may be. Whoever makes something of options asks here first: what makes no sense would
// end as a timer that fires at once, or as an event that nobody can read again.

import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "./retry.js";

/** What Node's timers can wait for, almost 25 days: with more they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** A hundred years: what is added to a time of ours, and is a date still. */
const MAX_DELAY_MS = 100 * 365 * 24 * 3_600_000;

interface Range {
	readonly least: number;
	readonly most: number;
	readonly isWhole: boolean;
}

const COUNT: Range = { least: 1, most: Number.MAX_SAFE_INTEGER, isWhole: true };
const AMOUNT: Range = { least: 0, most: Number.MAX_SAFE_INTEGER, isWhole: false };
const TIMER: Range = { least: 1, most: MAX_TIMER_MS, isWhole: false };
const DELAY: Range = { least: 0, most: MAX_DELAY_MS, isWhole: false };

const SOURCE_RANGES = {
	maxBytes: COUNT,
	connectTimeoutMs: TIMER,
	firstByteTimeoutMs: TIMER,
	idleTimeoutMs: TIMER,
	minBytesPerSecond: AMOUNT,
	throughputWindowMs: TIMER,
};
const ARCHIVER_RANGES = {
	concurrency: COUNT,
	concurrencyPerHost: COUNT,
	atRiskMs: AMOUNT,
	refreshBeforeMs: AMOUNT,
	reserveBytes: AMOUNT,
};
const RETRY_RANGES: Readonly<Record<keyof RetryPolicy, Range>> = {
	firstDelayMs: DELAY,
	maxDelayMs: DELAY,
	minDelayMs: DELAY,
	graceMs: DELAY,
	confirmations: { ...COUNT, least: 0 },
	confirmationDelayMs: DELAY,
};

/** Some of the numbers that have a range. `undefined`: not given. */
type Numbers<Ranges> = { readonly [Name in keyof Ranges]?: number | undefined };

/** Throws a `RangeError` that names the number of an HTTP source that makes no sense, and what it takes. */
export function checkSourceOptions(options: Numbers<typeof SOURCE_RANGES>): void {
	checkNumbers("", options, SOURCE_RANGES);
}

/** Throws a `RangeError` that names the number of an archiver that makes no sense, and what it takes. */
export function checkArchiverOptions(
	options: Numbers<typeof ARCHIVER_RANGES> & { readonly retry?: Numbers<RetryPolicy> },
): void {
	checkNumbers("", options, ARCHIVER_RANGES);
	checkNumbers("retry.", options.retry ?? {}, RETRY_RANGES);
}

/** The defaults, but for what `given` says. */
export function resolveRetryPolicy(given: Numbers<RetryPolicy> = {}): RetryPolicy {
	const said = Object.entries(given).filter(([, value]) => value !== undefined);
	return { ...DEFAULT_RETRY_POLICY, ...Object.fromEntries(said) };
}

function checkNumbers<Name extends string>(
	prefix: string,
	options: Numbers<Record<NoInfer<Name>, Range>>,
	ranges: Readonly<Record<Name, Range>>,
): void {
	for (const name in ranges) {
		const { least, most, isWhole } = ranges[name];
		const value = options[name];
		if (value === undefined) continue;
		const isRight = isWhole ? Number.isInteger(value) : Number.isFinite(value);
		if (isRight && value >= least && value <= most) continue;
		const kind = isWhole ? "a whole number" : "a number";
		throw new RangeError(`${prefix}${name} must be ${kind} from ${least} to ${most}`);
	}
}

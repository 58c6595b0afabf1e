// Values that flags and variables of several commands have: switches, whole numbers, durations, times.

import ms from "ms";
import { UsageError } from "./flags.js";

/** `true` or `false` of a variable; not set is `false`. *Errors*: throws a `UsageError` that names it. */
export function parseSwitch(variable: string, value = ""): boolean {
	if (["true", "1"].includes(value)) return true;
	if (["false", "0", ""].includes(value)) return false;
	throw new UsageError(`${variable} takes true or false`);
}

/** A whole number in decimal; `undefined` for none. *Errors*: throws a `UsageError` that names the flag. */
export function parseWholeNumber(
	flag: string,
	text: string | undefined,
	{ least, most = Number.MAX_SAFE_INTEGER }: { readonly least: number; readonly most?: number },
): number | undefined {
	if (text === undefined || text === "") return undefined;
	const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
	if (value >= least && value <= most) return value;
	const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
	throw new UsageError(`${flag} takes a whole number ${range}`);
}

/** Milliseconds; a number needs its unit. *Errors*: throws a `UsageError` that names the flag. */
export function parseDuration(flag: string, text: string): number {
	const durationMs = /^\d.*[a-z]$/i.test(text) ? ms(text as ms.StringValue) : undefined;
	if (durationMs !== undefined && Number.isFinite(durationMs)) return durationMs;
	throw new UsageError(`${flag} takes a duration such as 90s or 10m`);
}

const EPOCH_MS = /^[0-9]{12,14}$/;
/** With a zone: what is looked at was often recorded in another one. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** UTC milliseconds; `undefined` for none. *Errors*: throws a `UsageError` that names the flag. */
export function parseTime(flag: string, text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	const time = EPOCH_MS.test(text) ? Number(text) : ISO_TIME.test(text) ? Date.parse(text) : Number.NaN;
	if (Number.isFinite(time)) return time;
	throw new UsageError(
		`${flag} takes a time with its zone, such as 2026-11-23T12:00:00+08:00, or milliseconds since 1970`,
	);
}

// Who looks on does not decide: a logger or a telemetry that throws, on a full disk say, changes no outcome.

import type { Clock, Logger } from "./ports/runtime.js";
import { isStoreFault } from "./ports/store-fault.js";

/** Looks, and never throws. */
export function observe(look: () => void): void {
	try {
		look();
	} catch {}
}

/** More is no name. */
const MAX_NAME_CHARACTERS = 128;

/** All that is safe to tell of an error that is not ours, as text: its message may hold anything. */
export function errorName(error: unknown): string {
	return error instanceof Error ? String(error.name).slice(0, MAX_NAME_CHARACTERS) : typeof error;
}

/** What of an error may be told to a log or a person: faults of stores carry no data of callbacks, others may. */
export function describeError(error: unknown): string {
	return isStoreFault(error) ? `StoreFault ${error.reason}: ${error.message}` : errorName(error);
}

const MAX_FRAMES = 6;

/** An error that nobody expected may quote what was sent: its message stays out of the log, its origin does not. */
export function describeUnexpected(error: unknown): object {
	if (!(error instanceof Error)) return { name: typeof error };
	const { stack = "", message } = error;
	// The stack begins with the message, whose lines may look like frames.
	const trace = stack.slice(stack.indexOf(message) + message.length);
	const frames = trace.split("\n").filter((line) => /^\s+at /.test(line));
	const { code, _tag } = error as { code?: unknown; _tag?: unknown };
	return {
		name: errorName(error),
		...(typeof code === "string" ? { code: code.slice(0, MAX_NAME_CHARACTERS) } : {}),
		...(typeof _tag === "string" ? { tag: _tag.slice(0, MAX_NAME_CHARACTERS) } : {}),
		at: frames.slice(0, MAX_FRAMES).map((line) => line.trim()),
	};
}

const MINUTE_MS = 60_000;

/** Warns once a minute at most, with how often it was: a flood must not fill the log too. */
export function createThrottledWarning(
	{ clock, logger }: { readonly clock: Clock; readonly logger?: Logger },
	message: string,
): (reason: string, details: object) => void {
	let times = 0;
	let toldAtMs = Number.NEGATIVE_INFINITY;
	return (reason, details) => {
		times += 1;
		const nowMs = clock.now();
		if (Math.abs(nowMs - toldAtMs) < MINUTE_MS) return;
		const told = { ...details, reason, times };
		observe(() => logger?.warn(told, message));
		toldAtMs = nowMs;
		times = 0;
	};
}

/** The same logger, but it never throws. */
export function guardLogger(logger: Logger): Logger {
	return {
		trace: (details, message) => observe(() => logger.trace(details, message)),
		debug: (details, message) => observe(() => logger.debug(details, message)),
		info: (details, message) => observe(() => logger.info(details, message)),
		warn: (details, message) => observe(() => logger.warn(details, message)),
		error: (details, message) => observe(() => logger.error(details, message)),
	};
}

const ignore = (): void => undefined;

/** Of nothing. */
export const silentLogger: Logger = {
	trace: ignore,
	debug: ignore,
	info: ignore,
	warn: ignore,
	error: ignore,
};

// What Reelkeep takes when nobody provides it: the system's clock and ids, a logger of what goes wrong, no measuring,
// every app admitted, no link renewed.
// The one place of the core that touches real time and randomness; only the container imports it.

import type { Admission } from "../ports/admission.js";
import type { LinkRefresher } from "../ports/link-refresher.js";
import type { Clock, Ids, Logger, Telemetry } from "../ports/runtime.js";
import { MAX_TIMER_MS } from "../time-limit.js";

export const systemClock: Clock = {
	now: () => Date.now(),
	sleep: (delayMs, signal) =>
		new Promise((resolve) => {
			if (signal?.aborted) return resolve();
			let timer: ReturnType<typeof setTimeout> | undefined;
			const done = (): void => {
				clearTimeout(timer);
				signal?.removeEventListener("abort", done);
				resolve();
			};
			const wait = (leftMs: number): void => {
				const laterMs = leftMs - MAX_TIMER_MS;
				if (laterMs > 0) timer = setTimeout(() => wait(laterMs), MAX_TIMER_MS);
				else timer = setTimeout(done, leftMs);
			};
			signal?.addEventListener("abort", done, { once: true });
			wait(delayMs);
		}),
};

export const randomIds: Ids = { next: () => crypto.randomUUID() };

const ignore = (): void => undefined;

/** What goes wrong, to standard error; nothing else. */
export const consoleLogger: Logger = {
	trace: ignore,
	debug: ignore,
	info: ignore,
	warn: (details, message) => console.warn(`reelkeep: ${message} ${JSON.stringify(details)}`),
	error: (details, message) => console.error(`reelkeep: ${message} ${JSON.stringify(details)}`),
};

export const noTelemetry: Telemetry = { count: ignore, record: ignore };

/** There is no new link. */
export const noLinkRefresher: LinkRefresher = { refresh: async () => undefined };

export const admitEveryApp: Admission = { admit: async () => ({ _tag: "Admitted" }) };

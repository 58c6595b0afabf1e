// Who looks on does not decide: a logger or a telemetry that throws, on a full disk say, changes no outcome.

import type { Logger } from "./ports/runtime.js";

/** Looks, and never throws. */
export function observe(look: () => void): void {
	try {
		look();
	} catch {}
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

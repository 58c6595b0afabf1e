import { createHintListeners, type HintListeners } from "@reelkeep/core";
import type { Logger } from "@reelkeep/core/ports";

/** The listeners of `onAppended`; one that throws is logged. */
export function createHints(logger: Logger | undefined): HintListeners {
	return createHintListeners((error) => logger?.error({ err: error }, "a listener of onAppended threw"));
}

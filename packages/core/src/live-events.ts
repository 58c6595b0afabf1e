// The live emitter: what is recorded from now on, in this process, in position order. Durable delivery is a
// subscription's job.

import type { EventType, ReelkeepEvent } from "./events.js";
import { createGuardedEmitter, type GuardedEmitter, type GuardedEvents } from "./guarded-emitter.js";
import type { Logger } from "./ports/runtime.js";

/** May be asynchronous; a rejection is logged like a throw. */
export type LiveListener<Type extends EventType> = (event: Extract<ReelkeepEvent, { type: Type }>) => unknown;

export type LiveEvents = GuardedEvents<ReelkeepEvent>;
export type LiveEmitter = GuardedEmitter<ReelkeepEvent>;

export function createLiveEmitter(logger: Logger): LiveEmitter {
	return createGuardedEmitter<ReelkeepEvent>(logger, ({ type, id }) => ({ type, id }));
}

// The live emitter: what is recorded from now on, in this process, in position order. Durable delivery is a
// subscription's job.

import { EventEmitter } from "eventemitter3";
import type { EventType, ReelkeepEvent } from "./events.js";
import { errorName, observe } from "./observe.js";
import type { Logger } from "./ports/runtime.js";

type EventOf<Type extends EventType> = Extract<ReelkeepEvent, { type: Type }>;
/** May be asynchronous; a rejection is logged like a throw. */
export type LiveListener<Type extends EventType> = (event: EventOf<Type>) => unknown;

export interface LiveEvents {
	/** Calls `listener` for each event of `type`; returns how to stop that. A listener that throws stops nobody. */
	on<Type extends EventType>(type: Type, listener: LiveListener<Type>): () => void;
	/** Calls `listener` for the next event of `type` only. */
	once<Type extends EventType>(type: Type, listener: LiveListener<Type>): () => void;
}

export interface LiveEmitter extends LiveEvents {
	emit(event: ReelkeepEvent): void;
}

export function createLiveEmitter(logger: Logger): LiveEmitter {
	const emitter = new EventEmitter<string>();
	// eventemitter3 lets a throwing listener stop the ones behind it, so each is guarded.
	const guard =
		<Type extends EventType>(listener: LiveListener<Type>) =>
		async (event: EventOf<Type>): Promise<void> => {
			try {
				await listener(event);
			} catch (error) {
				const { type, id } = event;
				const failure = errorName(error);
				observe(() => logger.error({ type, id, error: failure }, "a listener failed"));
			}
		};
	return {
		on(type, listener) {
			const guarded = guard(listener);
			emitter.on(type, guarded);
			return () => emitter.off(type, guarded);
		},
		once(type, listener) {
			const guarded = guard(listener);
			emitter.once(type, guarded);
			return () => emitter.off(type, guarded);
		},
		emit(event) {
			emitter.emit(event.type, event);
		},
	};
}

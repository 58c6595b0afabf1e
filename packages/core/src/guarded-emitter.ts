// An emitter whose listeners cannot harm each other or who emits: what a listener throws is logged.

import { EventEmitter } from "eventemitter3";
import { errorName, observe } from "./observe.js";
import type { Logger } from "./ports/runtime.js";

interface Typed {
	readonly type: string;
}
type Of<Item extends Typed, Type extends Item["type"]> = Extract<Item, { readonly type: Type }>;

export interface GuardedEvents<Item extends Typed> {
	/** Calls `listener` for each one of `type`; returns how to stop that. A listener that throws stops nobody. */
	on<Type extends Item["type"]>(type: Type, listener: (item: Of<Item, Type>) => unknown): () => void;
	/** Calls `listener` for the next one of `type` only. */
	once<Type extends Item["type"]>(type: Type, listener: (item: Of<Item, Type>) => unknown): () => void;
}

export interface GuardedEmitter<Item extends Typed> extends GuardedEvents<Item> {
	emit(item: Item): void;
	/** The types that somebody listens for now. */
	heard(): readonly string[];
}

/** Makes an emitter. `describe`: what names an item in the log when a listener fails on it; no secret. */
export function createGuardedEmitter<Item extends Typed>(
	logger: Logger,
	describe: (item: Item) => object,
): GuardedEmitter<Item> {
	const emitter = new EventEmitter<string>();
	// eventemitter3 lets a throwing listener stop the ones behind it, so each is guarded.
	const guard =
		<Type extends Item["type"]>(listener: (item: Of<Item, Type>) => unknown) =>
		async (item: Of<Item, Type>): Promise<void> => {
			try {
				await listener(item);
			} catch (error) {
				const failure = errorName(error);
				observe(() => logger.error({ ...describe(item), error: failure }, "a listener failed"));
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
		emit(item) {
			emitter.emit(item.type, item);
		},
		heard: () => emitter.eventNames(),
	};
}

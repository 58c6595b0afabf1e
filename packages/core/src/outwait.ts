// A fault of a store that passes is waited out.

import { observe } from "./observe.js";
import type { Clock, Logger } from "./ports/runtime.js";
import { isStoreFault } from "./ports/store-fault.js";

/** A store that fails is asked again after this. */
const FAULT_DELAY_MS = 1000;

/** Who waits: `onWait` is told what for, and with `undefined` that it is over. */
export interface Waiting {
	readonly name: string;
	/** Default: a subscription. */
	readonly kind?: "subscription" | "projection";
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly onWait: (problem: string | undefined) => void;
}

/**
 * Does `work` again and again until it is no retryable fault that ends it; once stopped there is one try.
 * `tries`: which one it is. *Errors*: rejects with whatever else ends it.
 */
export async function outwait<Value>(
	{ name, kind = "subscription", clock, logger, signal, onWait }: Waiting,
	work: (tries: number) => Promise<Value>,
): Promise<Value> {
	for (let tries = 1; ; tries += 1) {
		try {
			const value = await work(tries);
			if (tries > 1) onWait(undefined);
			return value;
		} catch (error) {
			if (signal.aborted || !isStoreFault(error) || !error.retryable) throw error;
			onWait(`${kind} ${name} waits: ${error.message}`);
			const details = { [kind]: name, reason: error.reason };
			observe(() => logger.warn(details, "a store does not answer; trying again"));
			await clock.sleep(FAULT_DELAY_MS, signal);
		}
	}
}

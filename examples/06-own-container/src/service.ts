// Classes of a service that uses tsyringe. Each parameter names its token: esbuild and tsx write no decorator metadata.

import { CLOCK, type Clock, EVENT_STORE, type EventStore } from "@reelkeep/core/ports";
import { inject, injectable, singleton } from "tsyringe";

/** The service's clock, in the place of Reelkeep's. */
@singleton()
export class ServiceClock implements Clock {
	now(): number {
		return Date.UTC(2025, 5, 1);
	}
	sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, delayMs);
			signal?.addEventListener("abort", () => {
				clearTimeout(timer);
				resolve();
			});
			if (signal?.aborted) resolve();
		});
	}
}

/** Reads what Reelkeep has recorded. */
@injectable()
export class Ledger {
	readonly #store: EventStore;
	readonly #clock: Clock;

	constructor(@inject(EVENT_STORE) store: EventStore, @inject(CLOCK) clock: Clock) {
		this.#store = store;
		this.#clock = clock;
	}

	async count(): Promise<string> {
		let count = 0;
		for await (const { recordedAt } of this.#store.readAll()) if (recordedAt <= this.#clock.now()) count += 1;
		return `${count} recorded by ${new Date(this.#clock.now()).toISOString().slice(0, 10)}`;
	}
}

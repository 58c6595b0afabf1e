// For the tests of subscriptions only: what they are started on. Time is vitest's fake timers.

import { vi } from "vitest";
import { randomIds, systemClock } from "./container/defaults.js";
import { createMemoryCheckpointStore } from "./memory/checkpoint-store.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import type { CheckpointStore, EventStore, Position } from "./ports/index.js";
import { type Delivery, type SubscribeOptions, type SubscriptionHandler, subscribe } from "./subscribe.js";

/** Sleeps by vitest's fake timers: time passes by `passes`. */
export const clock = systemClock;
export const passes = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

export interface Flaws {
	readonly store?: (store: EventStore) => Partial<EventStore>;
	readonly checkpoints?: (checkpoints: CheckpointStore) => Partial<CheckpointStore>;
	readonly onLog?: () => void;
}

/** An empty log, a checkpoint store and a way to subscribe; `flaws` replaces members of the two stores. */
export function given(flaws: Flaws = {}) {
	const memory = createMemoryEventStore({ clock: { now: () => 0 } });
	const kept = createMemoryCheckpointStore();
	const saves: Position[] = [];
	const checkpoints: CheckpointStore = { ...kept, ...flaws.checkpoints?.(kept) };
	const logged: object[] = [];
	const log = (details: object): void => {
		flaws.onLog?.();
		logged.push(details);
	};
	const deps = {
		store: { ...memory, ...flaws.store?.(memory) },
		checkpoints,
		clock,
		ids: randomIds,
		logger: { trace: log, debug: log, info: log, warn: log, error: log },
	};
	let serial = 0;
	const append = async (count = 1): Promise<void> => {
		for (let index = 0; index < count; index += 1) {
			serial += 1;
			const event = { id: `e${serial}`, type: "Noted", schemaVersion: 1, data: {}, metadata: {} };
			await memory.append(`stream-${serial % 3}`, [event], "any");
		}
	};
	const handled: string[] = [];
	const handle: SubscriptionHandler = async ({ id }) => {
		handled.push(id);
	};
	const start = (handler: SubscriptionHandler = handle, name = "mail", options: SubscribeOptions = {}) =>
		subscribe(deps, name, handler, { order: "log", ...options });
	return { memory, kept, append, start, handled, saves, logged };
}

/** Parks soon, and gives up soon. */
export const parksSoon: SubscribeOptions = { order: "recording", triesBeforeParking: 2, maxTries: 4 };

/**
 * A subscription whose handler takes `delayMs` and fails for the events that `broken` names. Events go to stream-1,
 * stream-2, stream-0, stream-1, …: e1 and e4 and e7 are one recording's.
 */
export function subscribed(options: SubscribeOptions = parksSoon, flaws: Flaws = {}, delayMs = 0) {
	const base = given(flaws);
	const broken = new Set<string>();
	const tries: string[] = [];
	const deliveries: Delivery[] = [];
	const handler: SubscriptionHandler = async ({ id }, delivery) => {
		tries.push(id);
		deliveries.push(delivery);
		if (delayMs > 0) await clock.sleep(delayMs);
		if (broken.has(id)) throw new TypeError(`secret of ${id}`);
		base.handled.push(id);
	};
	const start = (more: SubscribeOptions = {}) => base.start(handler, "billing", { ...options, ...more });
	return { ...base, broken, tries, deliveries, handler, start };
}

/** Which of a subscription's events belong to `stream-N` when `appended` were appended, in order. */
export function idsOfStream(remainder: number, appended: number): readonly string[] {
	const numbers = Array.from({ length: appended }, (_, at) => at + 1);
	return numbers.filter((each) => each % 3 === remainder).map((each) => `e${each}`);
}

// Hands out again what a subscription has had already, no faster than it is told to.

import { isSubscriptionStream } from "./delivery-ledger.js";
import type { EventStore } from "./ports/event-store.js";
import { comparePositions } from "./ports/position.js";
import type { Clock } from "./ports/runtime.js";
import type { ReplayOptions } from "./subscribe.js";
import type { Running } from "./subscription-run.js";
import { whenAborted } from "./when-aborted.js";

const EVENTS_PER_SECOND = 100;
/** What a timer came too late is made up for, up to this; no longer stop is. */
const MAX_LAG_MS = 100;

export interface ReplayDeps {
	readonly store: EventStore;
	readonly clock: Clock;
	readonly name: string;
	/** Resolves when it has its checkpoint, or has ended: then with `undefined`. */
	readonly running: () => Promise<Running | undefined>;
	readonly ended: Promise<void>;
}

/** See `Subscription.replay`. */
export async function replayEvents(deps: ReplayDeps, options: ReplayOptions): Promise<number> {
	const { store, clock, name } = deps;
	const { after, eventsPerSecond = EVENTS_PER_SECOND } = options;
	if (!(eventsPerSecond > 0)) throw new RangeError("eventsPerSecond is above 0");
	const running = await deps.running();
	if (running === undefined) throw new Error(`subscription ${name} ended before its replay did`);
	const { signal } = running;
	const upTo = running.dispatchedTo();
	if (upTo === undefined) return 0;
	let dueAt = clock.now();
	let count = 0;
	let open = 0;
	let settled = (): void => undefined;
	for await (const event of store.readAll({ ...(after !== undefined && { after }), signal })) {
		if (comparePositions(event.position, upTo) > 0) break;
		if (isSubscriptionStream(event.stream)) continue;
		if (dueAt > clock.now()) await clock.sleep(dueAt - clock.now(), signal);
		dueAt = Math.max(dueAt, clock.now() - MAX_LAG_MS) + 1000 / eventsPerSecond;
		if (signal.aborted) break;
		count += 1;
		open += 1;
		await running.replay(event, () => {
			open -= 1;
			settled();
		});
	}
	const all = new Promise<void>((resolve) => {
		settled = () => {
			if (open === 0) resolve();
		};
		settled();
	});
	await Promise.race([all, whenAborted(signal), deps.ended.catch(() => undefined)]);
	if (open > 0 || signal.aborted) throw new Error(`subscription ${name} ended before its replay did`);
	return count;
}

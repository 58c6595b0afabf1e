// A subscription that does a piece of durable work of its own for every event: what proves that no checkpoint is ahead
// of its work, and that no event is skipped.

import { type Subscription, type SubscriptionHandler, subscribe } from "@reelkeep/core";
import {
	type CheckpointStore,
	type Clock,
	comparePositions,
	type EventStore,
	type Logger,
	type Position,
	type RecordedEvent,
} from "@reelkeep/core/ports";

/** Whose checkpoint the workload's subscription has. */
export const WORKER = "worker";
const WORK_STREAM = /^work-/;

export function isWork({ stream }: Pick<RecordedEvent, "stream">): boolean {
	return WORK_STREAM.test(stream);
}

export interface WorkDeps {
	readonly store: EventStore;
	readonly checkpoints: CheckpointStore;
	readonly clock: Clock;
	readonly logger: Logger;
	/** A name for the event that tells of the work. */
	readonly nextId: () => string;
	readonly wrap: (handler: SubscriptionHandler) => SubscriptionHandler;
}

export function startWork(deps: WorkDeps): Subscription {
	const { store, nextId } = deps;
	return subscribe(
		{ ...deps, ids: { next: nextId } },
		WORKER,
		deps.wrap(async (event) => {
			if (isWork(event)) return;
			const done = { id: nextId(), type: "WorkDone", schemaVersion: 1, data: { of: event.id }, metadata: {} };
			// Refused: it was done before.
			await store.append(`work-${event.id}`, [done], "no-stream");
		}),
		// Several at once, so that they end in another order; none parks, since the checkpoint says what is done.
		{ concurrency: 3, triesBeforeParking: 1_000_000 },
	);
}

/** The events up to the checkpoint whose work is not in the log. */
export function workMissing(
	log: readonly RecordedEvent[],
	checkpoint: Position | undefined,
): readonly RecordedEvent[] {
	if (checkpoint === undefined) return [];
	const done = new Set(log.filter(isWork).map(({ stream }) => stream));
	return log.filter(
		(event) =>
			!isWork(event) && comparePositions(event.position, checkpoint) <= 0 && !done.has(`work-${event.id}`),
	);
}

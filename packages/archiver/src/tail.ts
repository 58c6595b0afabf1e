// The archiver's reading side: the log from its start, on and on, whatever the store goes through.

import { followLog, lastPosition, observe } from "@reelkeep/core";
import {
	type Clock,
	type EventStore,
	isStoreFault,
	type Logger,
	type Position,
	type Problem,
	type RecordedEvent,
} from "@reelkeep/core/ports";
import { describeError } from "./describe-error.js";
import { archiverProblem } from "./problems.js";

/** A store that fails is asked again after this. */
const FAULT_DELAY_MS = 1_000;

export interface Tail {
	/** Resolves when `signal` aborts; never rejects. */
	follow(): Promise<void>;
	/** Whether the end was reached once: before that, what looks pending may long be done. */
	hasCaughtUp(): boolean;
	/** Whether the log has events that were not seen yet; `false` when it cannot be read. Never rejects. */
	isBehind(): Promise<boolean>;
	problems(): readonly Problem[];
}

/** Folds each event into `apply`, in position order, and says so by `changed`. A fault of the store is waited out. */
export function createTail(
	deps: { readonly store: EventStore; readonly clock: Clock; readonly logger: Logger },
	options: {
		readonly apply: (event: RecordedEvent) => void;
		readonly changed: () => void;
		readonly signal: AbortSignal;
	},
): Tail {
	const { apply, changed, signal } = options;
	let position: Position | undefined;
	let caughtUp = false;
	let undecodable = 0;
	let fault: string | undefined;

	const absorb = (event: RecordedEvent): void => {
		position = event.position;
		try {
			apply(event);
		} catch (error) {
			undecodable += 1;
			const details = { error: describeError(error), position };
			observe(() => deps.logger.error(details, "an event cannot be decoded; its recording may be missed"));
		}
	};
	const followOnce = async (): Promise<void> => {
		for await (const followed of followLog(deps, { after: position, signal })) {
			fault = undefined;
			if (followed._tag === "Event") absorb(followed.event);
			else caughtUp = true;
			if (caughtUp) changed();
		}
		if (!signal.aborted) fault = "the event log was closed";
	};
	return {
		async follow() {
			while (!signal.aborted) {
				try {
					await followOnce();
				} catch (error) {
					fault = isStoreFault(error) ? error.message : "the event log cannot be read";
					const details = { error: describeError(error) };
					observe(() => deps.logger.error(details, "the event log cannot be read; trying again"));
				}
				await deps.clock.sleep(FAULT_DELAY_MS, signal);
			}
		},
		hasCaughtUp: () => caughtUp,
		async isBehind() {
			try {
				const last = await lastPosition(deps.store, signal);
				return last !== undefined && last !== position;
			} catch {
				// What is wrong with it is told by whoever follows it.
				return false;
			}
		},
		problems: () =>
			[
				...(fault === undefined ? [] : [fault]),
				...(undecodable === 0 ? [] : [`${undecodable} events of the log cannot be decoded; see the log`]),
			].map(archiverProblem),
	};
}

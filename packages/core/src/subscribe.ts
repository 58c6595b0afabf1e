// Durable subscriptions: a named reader of the log, in position order, at least once, from where it stopped.

import { decodeEvent, type ReelkeepEvent, type UnknownEvent } from "./events.js";
import { followLog } from "./follow.js";
import type { CheckpointStore } from "./ports/checkpoint-store.js";
import type { EventStore, Position } from "./ports/event-store.js";
import type { Clock, Logger } from "./ports/runtime.js";
import { storeFault } from "./ports/store-fault.js";

/** A checkpoint costs a sync: one is saved at the latest after so many events, and whenever all are done. */
const EVENTS_PER_CHECKPOINT = 256;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 30_000;

/**
 * Handles one event; a rejection is tried again, with growing pauses, and later events wait: nothing is skipped.
 * An event of a type that this release does not know arrives as it was stored.
 */
export type SubscriptionHandler = (event: ReelkeepEvent | UnknownEvent, signal: AbortSignal) => Promise<void>;

export interface Subscription {
	readonly name: string;
	/** Resolves when every event that was in the log has been handled. */
	whenCaughtUp(): Promise<void>;
	/** Lets the handler under way finish, saves the checkpoint, and resolves. Idempotent. */
	stop(): Promise<void>;
	/** Resolves when the subscription has ended; rejects when it cannot go on, e.g. another owner moved its checkpoint. */
	readonly ended: Promise<void>;
}

export interface SubscribeDeps {
	readonly store: EventStore;
	readonly checkpoints: CheckpointStore;
	readonly clock: Clock;
	readonly logger: Logger;
}

/** Starts the subscription `name`. Each name has one checkpoint and must have one owner at a time. */
export function subscribe(deps: SubscribeDeps, name: string, handler: SubscriptionHandler): Subscription {
	const stopping = new AbortController();
	const caughtUp = createGate();
	const ended = run(deps, name, handler, stopping.signal, caughtUp.open);
	ended.then(caughtUp.open, caughtUp.fail);
	// Whoever looks at `ended` is told; that nobody looks is no unhandled rejection.
	ended.catch((error: unknown) => {
		deps.logger.error({ subscription: name, error: String(error) }, "subscription ended");
	});
	return {
		name,
		ended,
		whenCaughtUp: () => caughtUp.passed,
		async stop() {
			stopping.abort();
			await ended.catch(() => undefined);
		},
	};
}

async function run(
	deps: SubscribeDeps,
	name: string,
	handler: SubscriptionHandler,
	signal: AbortSignal,
	onCaughtUp: () => void,
): Promise<void> {
	let saved = await deps.checkpoints.load(name);
	let finished = saved;
	let unsaved = 0;
	const save = async (): Promise<void> => {
		if (finished === undefined || finished === saved) return;
		await saveCheckpoint(deps.checkpoints, name, finished, saved);
		saved = finished;
		unsaved = 0;
	};
	for await (const followed of followLog(deps, { after: finished, signal })) {
		if (followed._tag === "CaughtUp") {
			await save();
			onCaughtUp();
			continue;
		}
		const event = decodeEvent(followed.event) ?? followed.event;
		if (!(await handleUntilDone(deps, name, handler, event, signal))) break;
		finished = followed.event.position;
		unsaved += 1;
		if (unsaved >= EVENTS_PER_CHECKPOINT) await save();
	}
	await save();
}

/** `false` when the subscription was stopped before the event was handled. */
async function handleUntilDone(
	{ clock, logger }: SubscribeDeps,
	name: string,
	handler: SubscriptionHandler,
	event: ReelkeepEvent | UnknownEvent,
	signal: AbortSignal,
): Promise<boolean> {
	for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
		try {
			await handler(event, signal);
			return true;
		} catch (error) {
			if (signal.aborted) return false;
			const { id, position } = event;
			const failure = error instanceof Error ? error.name : typeof error;
			logger.warn({ subscription: name, id, position, failure, delayMs }, "handler failed; trying again");
			await clock.sleep(delayMs, signal);
			if (signal.aborted) return false;
		}
	}
}

async function saveCheckpoint(
	checkpoints: CheckpointStore,
	name: string,
	position: Position,
	expected: Position | undefined,
): Promise<void> {
	const result = await checkpoints.save(name, position, expected);
	if (result._tag === "WrongCheckpoint") {
		throw storeFault("owned", `subscription ${name} has another owner: its checkpoint was moved`);
	}
}

function createGate(): { passed: Promise<void>; open: () => void; fail: (error: unknown) => void } {
	let open: () => void = () => undefined;
	let fail: (error: unknown) => void = () => undefined;
	const passed = new Promise<void>((resolve, reject) => {
		open = resolve;
		fail = reject;
	});
	passed.catch(() => undefined);
	return { passed, open, fail };
}

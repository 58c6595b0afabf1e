// What becomes of an event whose handler fails: a pause and another try, or its recording is parked; and when those that
// are parked are tried again.

import { parkedDelayMs, retryDelayMs } from "./delivery-backoff.js";
import type { Backlog, Failed, LaneItem, Lanes } from "./delivery-lanes.js";
import type { DeliveryLedger, DeliveryParked } from "./delivery-ledger.js";
import { decodeEvent, type ReelkeepEvent, toUnknownEvent, type UnknownEvent } from "./events.js";
import { describeUnexpected, errorName, observe } from "./observe.js";
import { outwait, type Waiting } from "./outwait.js";
import type { EventStore, Position, RecordedEvent, StreamName } from "./ports/event-store.js";
import { comparePositions } from "./ports/position.js";
import { createWake } from "./wake.js";

/** So many of what is parked are read at once. */
const BACKLOG_EVENTS = 64;
/** When nothing is due, what is parked is looked at this often anyway. */
const IDLE_MS = 60_000;
/** What is due and cannot be gone on with yet is looked at again after this. */
const BUSY_MS = 100;

export interface ParkingLimits {
	/** Tries before an event parks; `undefined`: nothing parks. */
	readonly triesBeforeParking: number | undefined;
	/** Tries after which a parked event waits for `retryParked`. */
	readonly maxTries: number;
	/** Recordings parked at once; one more holds the subscription up. */
	readonly maxParked: number;
	/** Recordings that are gone on with at once. */
	readonly concurrency: number;
}

export interface Parking {
	/** Whether later events of `stream` wait in the ledger. */
	isParked(stream: StreamName): boolean;
	failed(item: LaneItem, error: unknown): Promise<Failed>;
	/** An event has been handled: it fails no more. */
	succeeded(item: LaneItem): void;
	/** Has them tried as soon as may be: all of them, or that of `stream`. Returns how many. */
	retryNow(stream?: StreamName): number;
	/** The event that holds others up in memory, the oldest of them. */
	stuck(): { readonly position: Position; readonly failures: number } | undefined;
	/** Goes on with what is due until `signal` aborts. `dispatchedTo`: up to where the lanes have been given everything. */
	resumeDue(lanes: Lanes, dispatchedTo: () => Position | undefined): Promise<void>;
}

export function createParking(
	ledger: DeliveryLedger,
	store: EventStore,
	waiting: Waiting,
	limits: ParkingLimits,
	onFailure: ((error: unknown, event: ReelkeepEvent | UnknownEvent, attempt: number) => void) | undefined,
): Parking {
	const { name, clock, logger, signal } = waiting;
	const { triesBeforeParking = Number.POSITIVE_INFINITY, maxTries, maxParked, concurrency } = limits;
	const wake = createWake(clock);
	const failing = new Map<string, { readonly position: Position; readonly failures: number }>();
	/** Asked for, whenever they would be due. */
	const wanted = new Set<StreamName>();
	const resuming = new Set<StreamName>();
	/** Being written down: they count as parked. */
	const recording = new Set<StreamName>();

	const mayPark = (stream: StreamName): boolean =>
		ledger.state.parked.has(stream) || ledger.state.parked.size + recording.size < maxParked;

	const park = async ({ event, replayTo }: LaneItem, failures: number, cause: unknown): Promise<void> => {
		const { stream, version, position, id: eventId } = event;
		const now = clock.now();
		const error = errorName(cause);
		const { parkedAt = now } = ledger.state.parked.get(stream) ?? {};
		const parkedTries = Math.max(1, failures - triesBeforeParking + 1);
		const nextTryAt = failures >= maxTries ? null : now + parkedDelayMs(eventId, parkedTries);
		const parked: DeliveryParked = {
			subscription: name,
			...{ stream, version, position, eventId, failures, error, parkedAt, nextTryAt },
			replayTo: replayTo ?? null,
		};
		if (!ledger.state.parked.has(stream)) recording.add(stream);
		await ledger.record({ type: "DeliveryParked", data: parked }).finally(() => recording.delete(stream));
		resuming.delete(stream);
		failing.delete(eventId);
		const details = { subscription: name, id: eventId, position, failures, nextTryAt };
		observe(() => {
			const told = { ...details, error: describeUnexpected(cause) };
			logger.error(told, "handler keeps failing; its recording is parked");
		});
		wake.call();
	};

	const backlogOf = (
		{ stream, version, eventId, failures, replayTo }: DeliveryParked,
		upTo: Position | undefined,
	): Backlog => {
		let after = version - 1;
		return async () => {
			const events = await outwait(waiting, () => readBacklog(store, stream, after, upTo, signal));
			after = events.at(-1)?.version ?? after;
			if (events.length === 0 && !signal.aborted) {
				await ledger.record({ type: "DeliveryResumed", data: { subscription: name, stream } });
				resuming.delete(stream);
				observe(() => logger.info({ subscription: name }, "a parked recording goes on"));
				wake.call();
			}
			return events.map((event) => ({
				event: decodeEvent(event) ?? toUnknownEvent(event),
				failures: event.id === eventId ? failures : 0,
				replayTo: replayTo !== null && comparePositions(event.position, replayTo) <= 0 ? replayTo : undefined,
				settle: () => undefined,
			}));
		};
	};

	return {
		isParked: (stream) => ledger.state.parked.has(stream),
		async failed(item, error) {
			if (signal.aborted) return "again";
			const { event } = item;
			const { id, position, stream } = event;
			const failures = item.failures + 1;
			const delayMs = retryDelayMs(failures);
			failing.set(id, { position, failures });
			observe(() => {
				// An async one may be given too: its rejection is nobody's.
				Promise.resolve(onFailure?.(error, event, failures)).catch(() => undefined);
			});
			if (failures >= triesBeforeParking && mayPark(stream)) {
				await park(item, failures, error);
				return "parked";
			}
			const details = { subscription: name, id, position, attempt: failures, delayMs };
			observe(() => {
				logger.warn({ ...details, error: describeUnexpected(error) }, "handler failed; trying again");
			});
			await clock.sleep(delayMs, signal);
			return "again";
		},
		succeeded: ({ event }) => void failing.delete(event.id),
		retryNow(stream) {
			const all = [...ledger.state.parked.keys()].filter((each) => stream === undefined || each === stream);
			for (const each of all) if (!resuming.has(each)) wanted.add(each);
			wake.call();
			return all.length;
		},
		stuck() {
			const oldest = [...failing.values()].sort((a, b) => comparePositions(a.position, b.position));
			return oldest[0];
		},
		async resumeDue(lanes, dispatchedTo) {
			while (!signal.aborted) {
				wake.clear();
				const now = clock.now();
				let next = now + IDLE_MS;
				const upTo = dispatchedTo();
				for (const parked of ledger.state.parked.values()) {
					const { stream, nextTryAt, position } = parked;
					const dueAt = wanted.has(stream) ? now : (nextTryAt ?? Number.POSITIVE_INFINITY);
					// The lane that has just parked it may not be over yet; after a crash the checkpoint may lie before it.
					const isAhead = upTo === undefined || comparePositions(position, upTo) > 0;
					const isBusy = lanes.has(stream) || isAhead || resuming.size >= concurrency;
					if (isBusy || dueAt > now) {
						next = Math.min(next, isBusy ? Math.max(dueAt, now + BUSY_MS) : dueAt);
						continue;
					}
					wanted.delete(stream);
					resuming.add(stream);
					lanes.resume(stream, backlogOf(parked, upTo));
				}
				await wake.wait(next - now, signal);
			}
		},
	};
}

/** What waits of a recording, from one version on, up to a position: the lanes have what is behind that. */
async function readBacklog(
	store: EventStore,
	stream: StreamName,
	after: number,
	upTo: Position | undefined,
	signal: AbortSignal,
): Promise<readonly RecordedEvent[]> {
	const events: RecordedEvent[] = [];
	for await (const event of store.read(stream, { after, limit: BACKLOG_EVENTS, signal })) {
		if (upTo === undefined || comparePositions(event.position, upTo) > 0) break;
		events.push(event);
	}
	return events;
}

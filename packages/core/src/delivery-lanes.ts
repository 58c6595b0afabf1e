// Who is handed an event when: one lane for each recording, in which one event waits for the one before it, and so many
// handlers at once over all lanes, the oldest event first.

import type { ReelkeepEvent, UnknownEvent } from "./events.js";
import type { Position } from "./ports/event-store.js";
import { comparePositions } from "./ports/position.js";

/** So many events wait in the lanes, beside what is read of those that are parked. */
const MAX_WAITING = 256;

/** One event on its way to the handler. */
export interface LaneItem {
	readonly event: ReelkeepEvent | UnknownEvent;
	/** How often its handler has failed. */
	readonly failures: number;
	/** Up to where its recording is handed out again; `undefined`: it is no replay. */
	readonly replayTo: Position | undefined;
	/** Called when it is handled, or waits in the ledger. */
	settle(): void;
}

/** What comes of a failed try: again after a pause, or the lane is over and all in it waits in the ledger. */
export type Failed = "again" | "parked";

export interface LanesOptions {
	readonly concurrency: number;
	readonly signal: AbortSignal;
	handle(item: LaneItem): Promise<void>;
	/** Decides about a failed try, waits or parks, and resolves with what it did. No handler's place is taken meanwhile. */
	failed(item: LaneItem, error: unknown): Promise<Failed>;
	/** Told of what nobody can go on from. */
	onFatal(error: unknown): void;
}

/** Gives the parked events of a lane, oldest first, a part at a time; none: that was all. */
export type Backlog = () => Promise<readonly LaneItem[]>;

export interface Lanes {
	has(key: string): boolean;
	/** Puts `item` at the end of its lane. */
	add(key: string, item: LaneItem): void;
	/** Opens a lane with what is parked; what is added waits behind that. *Shape*: there is no such lane. */
	resume(key: string, backlog: Backlog): void;
	/** Resolves when there is room for one more and `isFree`, which what settles may change; or it is over. */
	room(isFree?: () => boolean): Promise<void>;
	/** Resolves when nothing is under way: once `signal` has aborted. */
	ended(): Promise<void>;
}

interface Lane {
	readonly key: string;
	readonly queue: LaneItem[];
	/** Goes before `queue`. */
	parked: LaneItem[];
	backlog: Backlog | undefined;
}

export function createLanes({ concurrency, signal, handle, failed, onFatal }: LanesOptions): Lanes {
	const lanes = new Map<string, Lane>();
	/** With an event to hand out now, the oldest first. */
	const ready: Lane[] = [];
	let handling = 0;
	let underway = 0;
	let waiting = 0;
	const wakers: (() => void)[] = [];

	const wake = (): void => {
		for (const waker of wakers.splice(0)) waker();
	};
	signal.addEventListener("abort", wake, { once: true });
	const until = async (isSo: () => boolean): Promise<void> => {
		while (!isSo()) await new Promise<void>((resolve) => wakers.push(resolve));
	};
	/** Work that `ended` waits for. */
	const during = async (work: () => Promise<void>): Promise<void> => {
		underway += 1;
		try {
			await work();
		} catch (error) {
			onFatal(error);
		} finally {
			underway -= 1;
			wake();
		}
	};
	const settle = (item: LaneItem): void => {
		waiting -= 1;
		item.settle();
		wake();
	};
	const first = (lane: Lane): LaneItem | undefined =>
		lane.parked[0] ?? (lane.backlog === undefined ? lane.queue[0] : undefined);

	/** Synchronous: with one handler at a time a lane keeps its turn when its next event is the oldest. */
	const proceed = (lane: Lane): void => {
		const next = first(lane);
		if (next !== undefined) {
			const isOlder = (other: Lane): boolean => {
				const position = first(other)?.event.position;
				return position !== undefined && comparePositions(position, next.event.position) <= 0;
			};
			ready.splice(ready.findLastIndex(isOlder) + 1, 0, lane);
			pump();
		} else if (lane.backlog !== undefined) {
			void during(() => refill(lane, lane.backlog as Backlog));
		} else lanes.delete(lane.key);
	};
	const refill = async (lane: Lane, backlog: Backlog): Promise<void> => {
		if (signal.aborted) return;
		lane.parked = [...(await backlog())];
		waiting += lane.parked.length;
		if (lane.parked.length === 0) lane.backlog = undefined;
		proceed(lane);
	};
	const pump = (): void => {
		while (handling < concurrency && !signal.aborted) {
			const lane = ready.shift();
			const item = lane && first(lane);
			if (lane === undefined || item === undefined) return;
			void during(() => work(lane, item));
		}
	};
	const work = async (lane: Lane, item: LaneItem): Promise<void> => {
		handling += 1;
		let failure: { readonly error: unknown } | undefined;
		try {
			await handle(item);
		} catch (error) {
			failure = { error };
		}
		handling -= 1;
		if (failure === undefined) {
			(lane.parked.length > 0 ? lane.parked : lane.queue).shift();
			settle(item);
			proceed(lane);
			pump();
			return;
		}
		pump();
		if ((await failed(item, failure.error)) === "parked") close(lane);
		else if (!signal.aborted) {
			const again = { ...item, failures: item.failures + 1 };
			(lane.parked.length > 0 ? lane.parked : lane.queue)[0] = again;
			proceed(lane);
		}
	};
	const close = (lane: Lane): void => {
		lanes.delete(lane.key);
		for (const item of [...lane.parked, ...lane.queue]) settle(item);
	};

	return {
		has: (key) => lanes.has(key),
		add(key, item) {
			waiting += 1;
			const lane = lanes.get(key);
			if (lane !== undefined) {
				lane.queue.push(item);
				return;
			}
			const opened: Lane = { key, queue: [item], parked: [], backlog: undefined };
			lanes.set(key, opened);
			proceed(opened);
		},
		resume(key, backlog) {
			const lane: Lane = { key, queue: [], parked: [], backlog };
			lanes.set(key, lane);
			proceed(lane);
		},
		room: (isFree = () => true) => until(() => signal.aborted || (waiting < MAX_WAITING && isFree())),
		ended: () => until(() => underway === 0),
	};
}

// What is to be downloaded next: of what is due, on a host that may be asked, the earliest deadline first, and what cannot
// end in time any more behind all that can (rescue-plan.ts).

import type { StreamName } from "@reelkeep/core/ports";
import { createHostQueues, type HostQueues } from "./host-queues.js";
import type { PendingRecording } from "./pending.js";
import { planRescue, type RescuePlan } from "./rescue-plan.js";
import { createSeenSizes } from "./seen-sizes.js";

/** A plan goes over everything that is pending: at least this between two, and a millisecond more for each recording. */
const PLAN_EVERY_MS = 5_000;
/** A probe is chosen among so many. */
const MAX_PROBE_CHOICE = 256;

/** One pending recording, and what is known of its video. */
interface Entry {
	pending: PendingRecording;
	/** The whole video's, once its origin said it. */
	totalBytes?: number;
	/** What is held of it. */
	heldBytes: number;
	/** Still to come, known or assumed. */
	bytes: number;
	/** By the last plan there is no time for it, be its size known or assumed. */
	isAtRisk: boolean;
	/** The same, its size known: it waits behind the others. */
	isLate: boolean;
	isUnderway: boolean;
	isPending: boolean;
	/** It is in the list that plans are made of. */
	isListed: boolean;
	/** When its last link dies. */
	deadline: number;
	/** By when the last plan wants it to end. */
	dueAt: number;
}

export interface Taken {
	readonly pending: PendingRecording;
	/** Nothing better is due: it is downloaded however little time there is for it. */
	readonly isLate: boolean;
}

export interface Agenda extends Pick<HostQueues<Entry>, "pace" | "setPace"> {
	/** What is pending of `stream` from now on; `undefined`: nothing any more. */
	put(stream: StreamName, pending: PendingRecording | undefined): void;
	/** Takes what is next at `now`; it is under way until `release`. `undefined`: nothing. */
	take(now: number): Taken | undefined;
	/** As `take`, for the one that finds out whether the store works again: the same one must not fail for all, again and again. */
	takeProbe(now: number): Taken | undefined;
	release(stream: StreamName): void;
	/** When `take` is worth another call if nothing else changes; infinite: not before. */
	nextDueAt(now: number): number;
	/** Notes how large a video is as a whole, and how much of it is held. */
	learn(stream: StreamName, size: { readonly totalBytes?: number; readonly heldBytes: number }): void;
	/** Whether, by the last plan, a video of `totalBytes` has to give way to others; then it waits behind them. */
	givesWay(stream: StreamName, totalBytes: number | undefined): boolean;
	/** Plans anew when that is due. Returns those under way that have to give way now. */
	plan(now: number, bytesPerSecond: number | undefined): readonly StreamName[];
	/**
	 * Those under way that are late and hold a place that something else is due for; `isFull`: there is no place left on any
	 * host. One at a time: they are under way until `release`.
	 */
	makeRoom(now: number, isFull: boolean): readonly StreamName[];
	/** Recordings for which the last plan has no time. */
	atRisk(): readonly PendingRecording[];
}

/** Makes an empty agenda; at most `perHost` are under way on one host. */
export function createAgenda({ perHost }: { readonly perHost: number }): Agenda {
	const entries = new Map<StreamName, Entry>();
	/** Also of what rests by now: what reopens meanwhile is not begun a second time. */
	const underway = new Map<StreamName, Entry>();
	/** Of these, those that were told to give way. */
	const givingWay = new Set<Entry>();
	const queues = createHostQueues<Entry>({ perHost });
	const sizes = createSeenSizes();
	let listed: readonly Entry[] = [];
	/** Pending, and in no plan yet. */
	const unlisted = new Set<Entry>();
	let lastPlan: RescuePlan<Entry> | undefined;
	let plannedAt = Number.NEGATIVE_INFINITY;

	const enqueue = (entry: Entry): void => {
		const { pending, isLate, deadline, bytes } = entry;
		const { host, nextAttemptAt } = pending;
		queues.put(entry, {
			host,
			isLate,
			deadline,
			bytes,
			...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
		});
	};
	const requeue = (): void => {
		queues.clear();
		for (const entry of entries.values()) if (!entry.isUnderway) enqueue(entry);
	};
	/**
	 * Everything that is to be planned, in order. What nobody has asked for yet gets a size that was seen. Downloads under
	 * way at the same time share the line, so that the next ones end later than one by one: by `sharedMs`, or by half of
	 * their time, since until then those under way have taken no more than their share.
	 */
	const toPlan = (now: number, sharedMs: number): readonly Entry[] => {
		// What the last plan sorted comes first: sorting that again, with a few more, costs next to nothing.
		const all = [...listed, ...unlisted].filter((entry) => {
			entry.isListed = entry.isPending;
			return entry.isPending;
		});
		unlisted.clear();
		for (const [index, entry] of all.entries()) {
			entry.bytes = Math.max((entry.totalBytes ?? sizes.assume(index)) - entry.heldBytes, 0);
			const { deadline } = entry;
			const halfway = Math.min(deadline, (now + deadline) / 2);
			entry.dueAt = entry.isUnderway ? deadline : Math.max(deadline - sharedMs, halfway);
		}
		listed = all.sort((left, right) => left.dueAt - right.dueAt);
		return listed;
	};
	const bytesUnderway = (): number => [...underway.values()].reduce((sum, { bytes }) => sum + bytes, 0);
	const follow = (plan: RescuePlan<Entry>, all: readonly Entry[]): readonly StreamName[] => {
		const giveWay: StreamName[] = [];
		let changed = false;
		for (const entry of all) {
			// Nobody knows of a video that was not tried whether it is large: it keeps its turn.
			entry.isAtRisk = plan.late.has(entry);
			const isLate = entry.totalBytes !== undefined && entry.isAtRisk;
			changed ||= isLate !== entry.isLate;
			if (isLate && !entry.isLate && entry.isUnderway) giveWay.push(entry.pending.stream);
			entry.isLate = isLate;
		}
		if (changed) requeue();
		return giveWay;
	};

	const begin = (entry: Entry): Taken => {
		entry.isUnderway = true;
		underway.set(entry.pending.stream, entry);
		return { pending: entry.pending, isLate: entry.isLate };
	};

	return {
		put(stream, pending) {
			const known = entries.get(stream) ?? underway.get(stream);
			if (known !== undefined) queues.remove(known);
			if (pending === undefined) {
				entries.delete(stream);
				if (known === undefined) return;
				known.isPending = false;
				if (unlisted.delete(known)) known.isListed = false;
				return;
			}
			const { deadline } = pending;
			const entry = known ?? {
				heldBytes: 0,
				bytes: 0,
				isAtRisk: false,
				isLate: false,
				isUnderway: false,
				isPending: true,
				isListed: false,
				pending,
				deadline,
				dueAt: deadline,
			};
			// A link that lives longer: there may be time again.
			const isLonger = entry.deadline !== deadline;
			Object.assign(entry, { pending, deadline });
			if (isLonger) Object.assign(entry, { dueAt: deadline, isLate: false, isAtRisk: false });
			entry.isPending = true;
			if (!entry.isListed) unlisted.add(entry);
			entry.isListed = true;
			entries.set(stream, entry);
			if (!entry.isUnderway) enqueue(entry);
			if (queues.isLittered()) requeue();
		},
		take(now) {
			const entry = queues.take(now);
			return entry && begin(entry);
		},
		takeProbe(now) {
			const found: Entry[] = [];
			for (let entry = queues.take(now); entry !== undefined; entry = queues.take(now)) {
				queues.release(entry);
				found.push(entry);
				if (found.length === MAX_PROBE_CHOICE) break;
			}
			// The first of those that were tried longest ago, or never. What is late would have to give way to the others at once.
			const timely = found.filter(({ isLate }) => !isLate);
			const chosen = (timely.length > 0 ? timely : found).reduce<Entry | undefined>(
				(best, entry) => (best === undefined || triedAt(entry) < triedAt(best) ? entry : best),
				undefined,
			);
			for (const entry of found) if (entry !== chosen) enqueue(entry);
			if (chosen === undefined) return undefined;
			queues.claim(chosen, chosen.pending.host);
			return begin(chosen);
		},
		release(stream) {
			const entry = underway.get(stream);
			if (entry === undefined) return;
			underway.delete(stream);
			givingWay.delete(entry);
			entry.isUnderway = false;
			queues.release(entry);
			if (entries.get(stream) === entry) enqueue(entry);
		},
		nextDueAt: (now) => queues.nextDueAt(now),
		learn(stream, { totalBytes, heldBytes }) {
			const entry = entries.get(stream);
			if (entry === undefined) return;
			entry.heldBytes = heldBytes;
			if (totalBytes === undefined || entry.totalBytes === totalBytes) return;
			if (entry.totalBytes === undefined) sizes.add(totalBytes);
			entry.totalBytes = totalBytes;
		},
		givesWay(stream, totalBytes) {
			const entry = entries.get(stream);
			if (entry === undefined || lastPlan === undefined || totalBytes === undefined) return false;
			const bytes = totalBytes - entry.heldBytes;
			const cutoff = lastPlan.cutoff(entry.dueAt);
			// What the plan thought of it counts as far as it was right about the size.
			entry.isLate = entry.isAtRisk
				? bytes >= Math.min(entry.bytes, cutoff)
				: bytes > entry.bytes && bytes >= cutoff;
			return entry.isLate;
		},
		plan(now, bytesPerSecond) {
			// Where nothing came for a while, that says nothing of the hours to come.
			if (bytesPerSecond === undefined || bytesPerSecond === 0) return [];
			// A clock that was set back makes a plan void.
			if (now >= plannedAt && now < plannedAt + PLAN_EVERY_MS + entries.size) return [];
			plannedAt = now;
			// Of each that is under way half is done, on an average: as a whole they are twice as much.
			const all = toPlan(now, (2 * bytesUnderway() * 1_000) / bytesPerSecond);
			lastPlan = planRescue(all, { now, bytesPerSecond });
			return follow(lastPlan, all);
		},
		makeRoom(now, isFull) {
			const late = [...underway.values()].filter(({ isLate }) => isLate);
			if (late.length === 0) return [];
			const chosen = queues.urgent(now).flatMap((urgent) => {
				if (!urgent.isFull && !isFull) return [];
				const holders = late.filter(({ pending }) => !urgent.isFull || pending.host === urgent.host);
				if (holders.some((entry) => givingWay.has(entry))) return [];
				const last = holders.reduce<Entry | undefined>(
					(latest, entry) => (latest === undefined || entry.deadline > latest.deadline ? entry : latest),
					undefined,
				);
				if (last !== undefined) givingWay.add(last);
				return last?.pending.stream ?? [];
			});
			return chosen;
		},
		atRisk() {
			return [...entries.values()].filter(({ isAtRisk }) => isAtRisk).map(({ pending }) => pending);
		},
		pace: queues.pace,
		setPace: queues.setPace,
	};
}

function triedAt({ pending }: Entry): number {
	return pending.nextAttemptAt ?? 0;
}

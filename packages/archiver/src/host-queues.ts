// The queues behind the agenda: one of each host that holds what is due, and one of what waits for its next try.

import TinyQueue from "tinyqueue";
import { fullPace, type HostPace } from "./host-pace.js";

/** Places in queues whose item has moved on since; past this, and half of all, the queues are worth making anew. */
const MAX_STALE = 4_096;

export interface QueueKey {
	readonly host: string;
	readonly isLate: boolean;
	readonly deadline: number;
	readonly bytes: number;
	/** Absent: due at once. */
	readonly nextAttemptAt?: number;
}

interface Place<Item> {
	readonly item: Item;
	readonly key: QueueKey;
}

interface Host<Item> {
	ready: TinyQueue<Place<Item>>;
	pace: HostPace;
	underway: number;
}

/** A host of which something that is not late is due. */
interface UrgentHost {
	readonly host: string;
	/** It has no place left. */
	readonly isFull: boolean;
}

export interface HostQueues<Item extends object> {
	/** Puts an item in; it has one place at a time. */
	put(item: Item, key: QueueKey): void;
	remove(item: Item): void;
	/** Takes the most urgent item that is due at `now` on a host that may be asked; the host has one more under way. */
	take(now: number): Item | undefined;
	/** Takes an item that has no place, be its host full or not. */
	claim(item: Item, host: string): void;
	/** One that was taken is no longer under way. */
	release(item: Item): void;
	nextDueAt(now: number): number;
	/** Hosts that may be asked for something that is due and not late. */
	urgent(now: number): readonly UrgentHost[];
	/** Whether so many places are out of date that `clear`, and putting everything in again, is worth it. */
	isLittered(): boolean;
	/** Empties the queues; what is under way stays so. */
	clear(): void;
	pace(host: string): HostPace;
	setPace(host: string, pace: HostPace): void;
}

/** Makes empty queues; at most `perHost` items are under way on one host. */
export function createHostQueues<Item extends object>(options: {
	readonly perHost: number;
}): HostQueues<Item> {
	const hosts = new Map<string, Host<Item>>();
	const places = new Map<Item, Place<Item>>();
	const taken = new Map<Item, Host<Item>>();
	let waiting = new TinyQueue<Place<Item>>([], byNextAttempt);
	let queued = 0;
	let latest = 0;

	const hostOf = (name: string): Host<Item> => {
		const known = hosts.get(name);
		if (known !== undefined) return known;
		const host = {
			ready: new TinyQueue<Place<Item>>([], byUrgency),
			pace: fullPace(options.perHost),
			underway: 0,
		};
		hosts.set(name, host);
		return host;
	};
	const enqueue = (place: Place<Item>): void => {
		const { host, nextAttemptAt } = place.key;
		(nextAttemptAt === undefined ? hostOf(host).ready : waiting).push(place);
		queued += 1;
	};
	/** The first place that is not out of date. */
	const first = (queue: TinyQueue<Place<Item>>): Place<Item> | undefined => {
		for (let place = queue.peek(); place !== undefined; place = queue.peek()) {
			if (places.get(place.item) === place) return place;
			queue.pop();
			queued -= 1;
		}
		return undefined;
	};
	const wakeDue = (now: number): void => {
		for (let place = first(waiting); place !== undefined; place = first(waiting)) {
			if ((place.key.nextAttemptAt ?? 0) > now) return;
			waiting.pop();
			hostOf(place.key.host).ready.push(place);
		}
	};
	const isFull = ({ pace, underway }: Host<Item>): boolean => underway >= pace.limit;
	/** The most urgent of a host; what died while it waited falls behind what lives. */
	const firstReady = ({ ready }: Host<Item>, now: number): Place<Item> | undefined => {
		for (let place = first(ready); place !== undefined; place = first(ready)) {
			if (place.key.isLate || place.key.deadline > now) return place;
			ready.pop();
			const behind = { item: place.item, key: { ...place.key, isLate: true } };
			places.set(place.item, behind);
			ready.push(behind);
		}
		return undefined;
	};
	/** When `place`, its host's first, may be asked for. What dies within its host's pause is worth one question. */
	const dueAt = ({ pace, underway }: Host<Item>, { key }: Place<Item>, now: number): number => {
		const diesWithin = key.deadline > now && key.deadline <= pace.pausedUntil;
		return diesWithin && underway === 0 ? now : Math.max(pace.pausedUntil, now);
	};

	return {
		put(item, key) {
			const place = { item, key };
			places.set(item, place);
			enqueue(place);
		},
		remove: (item) => void places.delete(item),
		take(now) {
			latest = now;
			wakeDue(now);
			let best: { readonly host: Host<Item>; readonly place: Place<Item> } | undefined;
			for (const host of hosts.values()) {
				if (isFull(host)) continue;
				const place = firstReady(host, now);
				if (place === undefined || dueAt(host, place, now) > now) continue;
				if (best === undefined || byUrgency(place, best.place) < 0) best = { host, place };
			}
			if (best === undefined) return undefined;
			const { host, place } = best;
			host.ready.pop();
			queued -= 1;
			host.underway += 1;
			places.delete(place.item);
			taken.set(place.item, host);
			return place.item;
		},
		claim(item, name) {
			const host = hostOf(name);
			host.underway += 1;
			taken.set(item, host);
		},
		release(item) {
			const host = taken.get(item);
			if (host === undefined) return;
			taken.delete(item);
			host.underway -= 1;
		},
		nextDueAt(now) {
			const waitingUntil = first(waiting)?.key.nextAttemptAt ?? Number.POSITIVE_INFINITY;
			const due = [...hosts.values()].map((host) => {
				const place = isFull(host) ? undefined : firstReady(host, now);
				return place === undefined ? Number.POSITIVE_INFINITY : dueAt(host, place, now);
			});
			return due.reduce((least, at) => Math.min(least, at), waitingUntil);
		},
		urgent(now) {
			wakeDue(now);
			return [...hosts].flatMap(([name, host]) => {
				const place = firstReady(host, now);
				const isUrgent = place !== undefined && !place.key.isLate && dueAt(host, place, now) <= now;
				return isUrgent ? { host: name, isFull: isFull(host) } : [];
			});
		},
		isLittered: () => queued > 2 * places.size + MAX_STALE,
		clear() {
			places.clear();
			waiting = new TinyQueue<Place<Item>>([], byNextAttempt);
			queued = 0;
			for (const [name, host] of hosts) {
				host.ready = new TinyQueue<Place<Item>>([], byUrgency);
				// A host that nothing is known of, and nothing wants, is forgotten.
				const { strikes, limit, pausedUntil } = host.pace;
				const isPlain = strikes === 0 && limit === options.perHost && pausedUntil <= latest;
				if (host.underway === 0 && isPlain) hosts.delete(name);
			}
		},
		pace: (host) => hosts.get(host)?.pace ?? fullPace(options.perHost),
		setPace(host, pace) {
			hostOf(host).pace = pace;
		},
	};
}

/** What can end in time before what cannot; then the earliest deadline, then the smallest. */
function byUrgency<Item>({ key: left }: Place<Item>, { key: right }: Place<Item>): number {
	return (
		Number(left.isLate) - Number(right.isLate) || left.deadline - right.deadline || left.bytes - right.bytes
	);
}

function byNextAttempt<Item>({ key: left }: Place<Item>, { key: right }: Place<Item>): number {
	return (left.nextAttemptAt ?? 0) - (right.nextAttemptAt ?? 0);
}

// One line that all downloads share evenly, and origins that take a moment to answer and refuse what is dead.

import type { DownloadOrder, TakenDownload } from "./outage-order.js";
import type { OutageRecording, OutageScene } from "./outage-scene.js";

const ANSWER_MS = 80;
/** As often the order may plan anew. */
const STEP_MS = 5_000;

interface Underway {
	readonly taken: TakenDownload;
	/** When the origin answers; milliseconds. */
	readonly answersAt: number;
	isOpen: boolean;
	held: number;
	/** Held since the order was last told. */
	untold: number;
}

export interface OutageResult {
	readonly name: string;
	/** When each saved video was whole, in the order of time; milliseconds since the end of the outage. */
	readonly savedAt: readonly number[];
	readonly dead: number;
	/** Bytes of downloads that did not end in time. */
	readonly wastedBytes: number;
}

/** Downloads until nothing is left that lives. */
export function runOutage(scene: OutageScene, order: DownloadOrder, concurrency: number): OutageResult {
	const perMs = scene.bytesPerSecond / 1_000;
	const underway = new Map<string, Underway>();
	const held = new Map<OutageRecording, number>();
	const savedAt: number[] = [];
	let dead = 0;
	let wastedBytes = 0;
	let now = 0;
	let nextStep = 0;

	const end = (download: Underway, isOver: boolean): void => {
		const { recording } = download.taken;
		underway.delete(recording.stream);
		held.set(recording, download.held);
		order.ended(recording, isOver, underway.size, now);
	};
	const begin = (): void => {
		while (underway.size < concurrency) {
			const taken = order.take(now);
			if (taken === undefined) return;
			const { recording } = taken;
			const answersAt = now + ANSWER_MS;
			underway.set(recording.stream, {
				taken,
				answersAt,
				isOpen: false,
				held: held.get(recording) ?? 0,
				untold: 0,
			});
		}
	};
	const answer = (download: Underway): void => {
		const { recording } = download.taken;
		if (recording.deadline <= now) {
			dead += 1;
			end(download, true);
		} else if (order.opened(download.taken, download.held)) download.isOpen = true;
		else end(download, false);
	};
	const complete = (download: Underway): void => {
		const { recording } = download.taken;
		if (now <= recording.deadline) savedAt.push(now);
		else {
			dead += 1;
			wastedBytes += recording.bytes;
		}
		end(download, true);
	};
	const tell = (): void => {
		for (const { taken, held: bytes, untold } of underway.values()) {
			if (untold > 0) order.received(taken.recording, bytes, untold, now);
		}
		for (const download of underway.values()) download.untold = 0;
	};

	for (begin(); underway.size > 0; begin()) {
		const open = [...underway.values()].filter(({ isOpen }) => isOpen);
		const share = perMs / Math.max(open.length, 1);
		const ends = open.map(({ taken, held: bytes }) => now + (taken.recording.bytes - bytes) / share);
		const answers = [...underway.values()].flatMap(({ isOpen, answersAt }) => (isOpen ? [] : [answersAt]));
		const next = Math.max(now, Math.min(nextStep, ...ends, ...answers));
		for (const download of open) {
			const bytes = share * (next - now);
			download.held += bytes;
			download.untold += bytes;
		}
		now = next;
		tell();
		for (const download of [...underway.values()]) {
			const isWhole = download.taken.recording.bytes - download.held < 1;
			if (!download.isOpen && download.answersAt <= now) answer(download);
			else if (download.isOpen && isWhole) complete(download);
		}
		if (now >= nextStep) {
			nextStep = now + STEP_MS;
			for (const stream of order.interrupted(now)) {
				const download = underway.get(stream);
				if (download !== undefined) end(download, false);
			}
		}
	}
	return { name: order.name, savedAt, dead, wastedBytes };
}

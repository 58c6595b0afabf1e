// The orders that are compared: what is downloaded next, and what gives way.

import { type Agenda, createAgenda, measureBandwidth } from "@reelkeep/archiver";
import type { OutageRecording } from "./outage-scene.js";

export interface TakenDownload {
	readonly recording: OutageRecording;
	readonly isLate: boolean;
}

/** One order of work, asked by the line (outage-line.ts). */
export interface DownloadOrder {
	readonly name: string;
	take(now: number): TakenDownload | undefined;
	/** The origin said how large the video is. `false`: it gives way. */
	opened(taken: TakenDownload, heldBytes: number): boolean;
	received(recording: OutageRecording, heldBytes: number, count: number, now: number): void;
	/** It is no longer under way; `isOver`: and nothing more is to be done for it. */
	ended(recording: OutageRecording, isOver: boolean, underway: number, now: number): void;
	/** Plans, when it does. Those that are broken off. */
	interrupted(now: number): readonly string[];
}

/** One after the other, in the order of `compare`. */
function plainOrder(
	name: string,
	recordings: readonly OutageRecording[],
	compare: (left: OutageRecording, right: OutageRecording) => number,
): DownloadOrder {
	const queue = [...recordings].sort(compare);
	let next = 0;
	return {
		name,
		take() {
			const recording = queue[next];
			next += 1;
			return recording && { recording, isLate: false };
		},
		opened: () => true,
		received: () => undefined,
		ended: () => undefined,
		interrupted: () => [],
	};
}

export function firstComeFirstServed(recordings: readonly OutageRecording[]): DownloadOrder {
	return plainOrder("first come, first served", recordings, () => 0);
}

export function plainDeadlineOrder(recordings: readonly OutageRecording[]): DownloadOrder {
	return plainOrder("plain deadline order", recordings, (left, right) => left.deadline - right.deadline);
}

/** The archiver's own agenda and meter, driven as its loop drives them. */
export function reelkeepOrder(recordings: readonly OutageRecording[], perHost: number): DownloadOrder {
	const agenda: Agenda = createAgenda({ perHost });
	const bandwidth = measureBandwidth();
	const byStream = new Map(recordings.map((recording) => [recording.stream, recording]));
	for (const { stream, host, deadline } of recordings) {
		const pending = { stream, host, deadline, newestLink: stream, attempts: 0, refusals: 0, metadata: {} };
		agenda.put(stream, pending);
	}
	let underway = 0;
	return {
		name: "Reelkeep",
		take(now) {
			const taken = agenda.take(now);
			const recording = taken && byStream.get(taken.pending.stream);
			if (taken === undefined || recording === undefined) return undefined;
			underway += 1;
			bandwidth.underway(underway, now);
			return { recording, isLate: taken.isLate };
		},
		opened({ recording: { stream, bytes: totalBytes }, isLate }, heldBytes) {
			agenda.learn(stream, { totalBytes, heldBytes });
			return isLate || !agenda.givesWay(stream, totalBytes);
		},
		received({ stream, bytes: totalBytes }, heldBytes, count, now) {
			agenda.learn(stream, { totalBytes, heldBytes });
			bandwidth.add(count, now);
		},
		ended({ stream }, isOver, left, now) {
			underway = left;
			bandwidth.underway(underway, now);
			if (isOver) agenda.put(stream, undefined);
			agenda.release(stream);
		},
		interrupted: (now) => agenda.plan(now, bandwidth.bytesPerSecond(now)),
	};
}

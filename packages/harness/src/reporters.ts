// Many reporters at once, over connections that stay open, and what they know afterwards: what they sent, and what was
// acknowledged. They live in another process than the receiver, so what they saw is what counts.

import { setTimeout as pause } from "node:timers/promises";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { shareConnections } from "./hostile-connection.js";
import { TEST_APP_KEY, TEST_SECRET } from "./transcript.js";

/** Where a recording's video is, as a callback says it. */
export interface StatedLink {
	readonly url: string;
	/** UTC milliseconds. */
	readonly expiresAtMs: number;
}

export interface ReportersOptions {
	/** How many report at the same time, each over a connection of its own. */
	readonly count: number;
	/** The link of a track: the same one each time it is asked for. */
	readonly linkOf: (track: string) => StatedLink;
}

export interface Reporters {
	/** Every track that was ever sent. */
	readonly sent: ReadonlySet<string>;
	readonly acknowledged: ReadonlySet<string>;
	/** How often a track was reported while it was acknowledged already, or under way by another reporter. */
	duplicates(): number;
	/** What was answered instead of success, in the words of `hostile-answers.ts`, and how often. */
	readonly refusals: ReadonlyMap<string, number>;
	/** Sent, and not acknowledged yet. */
	unanswered(): readonly string[];
	/** Takes one track after the other and reports it, each reporter by itself. */
	report(address: string, tracks: Iterable<string>): Reporting;
}

interface Reporting {
	/** Resolves when all tracks were reported, or it was stopped. */
	readonly finished: Promise<void>;
	/** No report is begun any more; what is under way is waited for until its connection ends. */
	stop(): void;
}

/** A connection that ends without an answer is opened again after this. */
const AGAIN_MS = 3;

export function createReporters({ count, linkOf }: ReportersOptions): Reporters {
	const sent = new Set<string>();
	const acknowledged = new Set<string>();
	const underway = new Map<string, number>();
	const refusals = new Map<string, number>();
	let duplicates = 0;

	const note = (track: string): void => {
		if (acknowledged.has(track) || (underway.get(track) ?? 0) > 0) duplicates += 1;
		sent.add(track);
	};
	const sendOnce = async (shared: ReturnType<typeof shareConnections>, track: string): Promise<string> => {
		underway.set(track, (underway.get(track) ?? 0) + 1);
		const request = { pieces: [requestOf(track, linkOf(track))], allows: /^success$/ };
		const { heard } = await shared.send({ ...request, connection: "kept" });
		const word = await heard;
		underway.set(track, (underway.get(track) ?? 1) - 1);
		if (word === "success") acknowledged.add(track);
		else if (word !== "" && word !== "cut") refusals.set(word, (refusals.get(word) ?? 0) + 1);
		return word;
	};
	return {
		sent,
		acknowledged,
		refusals,
		duplicates: () => duplicates,
		unanswered: () => [...sent].filter((track) => !acknowledged.has(track)),
		report(address, tracks) {
			const shared = shareConnections(Number(new URL(address).port), count);
			const queue = tracks[Symbol.iterator]();
			let isOver = false;
			const reporter = async (): Promise<void> => {
				while (!isOver) {
					const { value: track, done } = queue.next();
					if (done) return;
					note(track);
					while ((await sendOnce(shared, track)) !== "success" && !isOver) await pause(AGAIN_MS);
				}
			};
			const finished = Promise.all(Array.from({ length: count }, reporter)).then(() => shared.close());
			return {
				finished,
				stop() {
					isOver = true;
				},
			};
		},
	};
}

function requestOf(track: string, { url, expiresAtMs }: StatedLink): Buffer {
	const callback = sampleCallback({ track_info: track, download_url: url, expire_time: expiresAtMs });
	const requestParam = JSON.stringify(callback);
	return signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
}

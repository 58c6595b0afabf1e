// The videos of a store that is copied: all that its log says to be archived. Written against the port alone, whatever keeps
// them on either side; they are put before the events that tell of them.

import { VideoReceipt } from "@reelkeep/core";
import {
	comparePositions,
	type EventStore,
	isStoreFault,
	type Position,
	type RecordedEvent,
	type StreamName,
	type VideoDigest,
	type VideoStore,
} from "@reelkeep/core/ports";
import { upTo } from "./copy-log.js";
import type { CopyProgress } from "./copy-progress.js";

/** A line to object storage is not filled by one at a time. */
const COPIES_AT_ONCE = 4;
/** More problems are counted, not listed. */
const MAX_LISTED = 1_000;

interface VideoProblem {
	readonly stream: StreamName;
	readonly location: string;
	/**
	 * - `unreadable`: the source has none at its location, or cannot read it
	 * - `damaged`: the source has other bytes than its receipt says
	 * - `other`: the copy has other bytes there, which are left alone, or keeps it elsewhere
	 */
	readonly problem: "unreadable" | "damaged" | "other";
	/** For people; holds no secret. */
	readonly message: string;
}

export interface VideosReport {
	/** Recordings that are archived, by the log. */
	readonly archived: number;
	/** Of them, those that were copied now. */
	readonly copied: number;
	readonly copiedBytes: number;
	/** What is not in the copy as its receipt says. */
	readonly lacking: number;
	/** Of these, the first 1,000. */
	readonly problems: readonly VideoProblem[];
}

export interface VideoCopyDeps {
	readonly events: EventStore;
	readonly from: Pick<VideoStore, "open">;
	readonly to: VideoStore;
	/** The last event that is copied. */
	readonly end: Position | undefined;
	/** The last event that the copy has already: the videos of these were verified when they were put there. */
	readonly known: Position | undefined;
	readonly progress: CopyProgress;
	readonly signal: AbortSignal;
}

type Outcome =
	| { readonly _tag: "Present" }
	| { readonly _tag: "Copied"; readonly bytes: number }
	| VideoTrouble;
type VideoTrouble = { readonly _tag: "Trouble" } & Pick<VideoProblem, "problem" | "message">;

interface ArchivedVideo {
	readonly stream: StreamName;
	readonly position: Position;
	readonly receipt: VideoReceipt;
}

/** *Errors*: rejects with a `StoreFault` when the copy cannot be written, or the log not be read; with the signal's reason. */
export async function copyVideos(deps: VideoCopyDeps): Promise<VideosReport> {
	const problems: VideoProblem[] = [];
	let [archived, copied, copiedBytes, lacking] = [0, 0, 0, 0];
	const count = ({ stream, receipt: { location } }: ArchivedVideo, outcome: Outcome): void => {
		archived += 1;
		if (outcome._tag === "Copied") {
			copied += 1;
			copiedBytes += outcome.bytes;
		} else if (outcome._tag === "Trouble") {
			lacking += 1;
			const { problem, message } = outcome;
			if (problems.length < MAX_LISTED) problems.push({ stream, location, problem, message });
		}
	};
	await severalAtOnce(archivedVideos(deps), async (video) => count(video, await copyVideo(deps, video)));
	return { archived, copied, copiedBytes, lacking, problems };
}

/** Each recording once that rests archived: later facts of its stream may say otherwise. */
async function* archivedVideos({ events, end, signal }: VideoCopyDeps): AsyncGenerator<ArchivedVideo> {
	for await (const event of upTo(events, end, { types: ["RecordingArchived"], signal })) {
		const { receipt } = event.data;
		if (!VideoReceipt.is(receipt) || !(await isCurrent(events, event, end))) continue;
		yield { stream: event.stream, position: event.position, receipt };
	}
}

/** As far as the copy of the log goes. */
async function isCurrent(
	events: EventStore,
	{ stream, version }: RecordedEvent,
	end: VideoCopyDeps["end"],
): Promise<boolean> {
	for await (const { type, position } of events.read(stream, { after: version })) {
		if (end !== undefined && comparePositions(position, end) > 0) break;
		if (type === "RecordingArchived" || type === "VideoRemoved") return false;
	}
	return true;
}

async function copyVideo(deps: VideoCopyDeps, video: ArchivedVideo): Promise<Outcome> {
	const { to, known } = deps;
	const { stream, position, receipt } = video;
	const isKnown = known !== undefined && comparePositions(position, known) <= 0;
	if (isKnown && (await isThere(to, receipt))) return { _tag: "Present" };
	const present = await to.stat(stream);
	if (present === undefined) return uploadVideo(deps, video);
	return judge(present, receipt) ?? { _tag: "Present" };
}

/** Whether as many bytes are there as should be. One byte is read: who moves a store reads all videos once, and not at each run. */
async function isThere(to: VideoStore, { location, bytes }: VideoReceipt): Promise<boolean> {
	try {
		let held = 0;
		for await (const chunk of to.open(location, { offset: Math.max(bytes - 1, 0) })) {
			held += chunk.length;
			if (held > 1) return false;
		}
		return held === Math.min(bytes, 1);
	} catch (error) {
		if (isStoreFault(error)) return false;
		throw error;
	}
}

async function uploadVideo({ from, to, progress }: VideoCopyDeps, video: ArchivedVideo): Promise<Outcome> {
	const { stream, receipt } = video;
	const part = progress.begin("video", stream, receipt.bytes);
	const upload = await to.begin(stream);
	const source = from.open(receipt.location)[Symbol.asyncIterator]();
	let isKept = false;
	try {
		for (;;) {
			const next = await readNext(source);
			if (next._tag === "Trouble") return next;
			if (next.chunk === undefined) break;
			await upload.write(next.chunk);
			part.add(next.chunk.length);
		}
		const digest = await upload.digest();
		if (!isSame(digest, receipt)) return damaged(digest, receipt);
		const wrong = judge((await upload.commit()).video, receipt);
		isKept = wrong === undefined;
		return wrong ?? { _tag: "Copied", bytes: digest.bytes };
	} finally {
		part.end(isKept);
		// What failed before is what is told.
		await source.return?.().catch(() => undefined);
		// Changes nothing once it is committed.
		await upload.discard().catch(() => undefined);
	}
}

type Read = VideoTrouble | { readonly _tag: "Read"; readonly chunk: Uint8Array | undefined };

/** What the source cannot give is told in the end; the other videos are copied. */
async function readNext(source: AsyncIterator<Uint8Array>): Promise<Read> {
	try {
		const { done, value } = await source.next();
		return { _tag: "Read", chunk: done === true ? undefined : value };
	} catch (error) {
		if (!isStoreFault(error)) throw error;
		return { _tag: "Trouble", problem: "unreadable", message: error.message };
	}
}

/** What the copy has under the video's name; `undefined`: what it should have. */
function judge(
	held: VideoDigest & { readonly location: string },
	receipt: VideoReceipt,
): VideoTrouble | undefined {
	if (!isSame(held, receipt)) {
		const message = `the copy has ${describe(held)} there, and its receipt says ${describe(receipt)}: remove it there, and run the same command again`;
		return { _tag: "Trouble", problem: "other", message };
	}
	if (held.location === receipt.location) return undefined;
	return { _tag: "Trouble", problem: "other", message: `the copy keeps it at ${held.location}` };
}

function damaged(digest: VideoDigest, receipt: VideoReceipt): VideoTrouble {
	const message = `it has ${describe(digest)}, and its receipt says ${describe(receipt)}`;
	return { _tag: "Trouble", problem: "damaged", message };
}

function isSame(one: VideoDigest, other: VideoDigest): boolean {
	return one.bytes === other.bytes && one.sha256 === other.sha256;
}

function describe({ bytes, sha256 }: VideoDigest): string {
	return `${bytes} bytes with SHA-256 ${sha256.slice(0, 16)}…`;
}

/** Works on several items at a time; ends with the first that fails, once those under way are over. */
async function severalAtOnce<Item>(
	items: AsyncGenerator<Item>,
	work: (item: Item) => Promise<void>,
): Promise<void> {
	let hasFailed = false;
	const workers = Array.from({ length: COPIES_AT_ONCE }, async () => {
		try {
			for (;;) {
				const next = await items.next();
				if (hasFailed || next.done === true) return;
				await work(next.value);
			}
		} catch (error) {
			hasFailed = true;
			throw error;
		}
	});
	const ended = await Promise.allSettled(workers);
	await items.return(undefined);
	for (const each of ended) if (each.status === "rejected") throw each.reason;
}

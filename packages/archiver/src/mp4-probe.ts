// Is a video an MP4 that a player can play? Looked at while it comes in, and said in its receipt; never a reason to
// throw it away.

import type { Mp4Probe } from "@reelkeep/core";
import { type ByteRange, createFileWalk, type FileBoxes } from "./mp4-probe-file.js";
import { type MovieIndex, readMovieIndex, type Track } from "./mp4-probe-index.js";
import { loadMp4Parser } from "./mp4-probe-library.js";

const MAX_CODECS = 16;

export interface Mp4Look {
	/** Looks at the video's next bytes, from its first on. Never throws; keeps nothing of `chunk`. */
	update(chunk: Uint8Array): void;
	/**
	 * What the bytes are, now that all have come; called once.
	 * *Errors*: whatever the bytes are is a value. Rejects only when mp4box is not installed: `loadMp4Parser` tells before.
	 */
	result(): Promise<Mp4Probe>;
}

/**
 * Starts a look at one video.
 * *Promise*: at most 32 MiB are held, and about ten times the size of the index for the moment it is parsed in, whatever
 * the bytes claim; nothing is read twice.
 */
export function createMp4Probe(): Mp4Look {
	const walk = createFileWalk();
	return {
		update: walk.update,
		async result() {
			const file = walk.result();
			const problem = findProblem(file);
			const body = file.indexes[0];
			if (problem !== undefined || body === undefined) return unplayable(problem ?? "it has no index (moov)");
			const index = readMovieIndex(body, await loadMp4Parser());
			if (index === undefined) return unplayable("its index (moov) is damaged");
			return describe(index, findIndexProblem(index, file));
		},
	};
}

/** What is wrong with the file as a row of boxes. */
function findProblem({ problem, firstType, media }: FileBoxes): string | undefined {
	if (firstType === undefined) return problem ?? "it is empty";
	if (firstType !== "ftyp" && firstType !== "styp") return "it does not begin with its type (ftyp)";
	if (problem !== undefined) return problem;
	return media.length === 0 ? "it has no media data (mdat)" : undefined;
}

function findIndexProblem(index: MovieIndex, file: FileBoxes): string | undefined {
	const { tracks, isFragmented } = index;
	if (tracks.length === 0) return "it has no tracks";
	const hasFragments = isFragmented && file.fragments > 0;
	if (!hasFragments && !tracks.some(({ samples, seconds }) => samples > 0 && seconds > 0)) {
		return "no track has samples with a duration";
	}
	if (file.hasMoreMedia) return undefined;
	const isOutside = (offset: number) => !isInside(file.media, offset);
	return tracks.some(({ chunkOffsets }) => chunkOffsets.some(isOutside))
		? "its index (moov) points outside its media data (mdat)"
		: undefined;
}

/** Halves the ranges, which are in order: both they and the offsets may be many. */
function isInside(ranges: readonly ByteRange[], offset: number): boolean {
	let low = 0;
	let high = ranges.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((ranges[middle]?.end ?? 0) <= offset) low = middle + 1;
		else high = middle;
	}
	const range = ranges[low];
	return range !== undefined && offset >= range.start;
}

function describe(index: MovieIndex, problem: string | undefined): Mp4Probe {
	const durationMs = durationOf(index);
	const codecs = index.tracks.flatMap(({ codec }: Track) => codec ?? []).slice(0, MAX_CODECS);
	return {
		...(problem === undefined ? { isPlayable: true } : unplayable(problem)),
		...(durationMs === undefined ? {} : { durationMs }),
		...(codecs.length === 0 ? {} : { codecs }),
	};
}

function durationOf({ seconds, tracks }: MovieIndex): number | undefined {
	const longest = seconds ?? Math.max(0, ...tracks.map((track) => track.seconds));
	const durationMs = Math.round(longest * 1000);
	return durationMs > 0 && Number.isSafeInteger(durationMs) ? durationMs : undefined;
}

function unplayable(problem: string): Mp4Probe {
	return { isPlayable: false, problem };
}

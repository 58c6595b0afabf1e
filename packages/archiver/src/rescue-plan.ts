// Which downloads can still end before their links die. Pure. Moore's and Hodgson's rule (1968), which saves as many as
// can be saved: go through the deadlines, the earliest first, and whenever the work up to one takes longer than the time
// there is, let the largest give way. Plain deadline order works on what is lost already, and loses the next one with it.

import TinyQueue from "tinyqueue";

export interface PlannedDownload {
	/** By when it has to end; UTC milliseconds. */
	readonly dueAt: number;
	/** Still to come; known, or assumed. */
	readonly bytes: number;
}

export interface RescuePlan<Download extends PlannedDownload> {
	/** Those for which there is no time. */
	readonly late: ReadonlySet<Download>;
	/** The fewest bytes for which there was no time among the downloads that are due by `dueAt`; infinite: for all there was. */
	cutoff(dueAt: number): number;
}

interface Drop {
	readonly dueAt: number;
	readonly bytes: number;
}

/** Plans `downloads`, which are sorted by `dueAt`, at `bytesPerSecond` for all of them together. */
export function planRescue<Download extends PlannedDownload>(
	downloads: readonly Download[],
	options: { readonly now: number; readonly bytesPerSecond: number },
): RescuePlan<Download> {
	const { now, bytesPerSecond } = options;
	const late = new Set<Download>();
	const drops: Drop[] = [];
	// Of the same size the one that is due first goes first: it has the least time left.
	const largest = new TinyQueue<Download>(
		[],
		(left, right) => right.bytes - left.bytes || left.dueAt - right.dueAt,
	);
	let bytes = 0;
	for (const download of downloads) {
		largest.push(download);
		bytes += download.bytes;
		const room = ((download.dueAt - now) * bytesPerSecond) / 1_000;
		while (bytes > room) {
			const dropped = largest.pop();
			if (dropped === undefined) break;
			bytes -= dropped.bytes;
			late.add(dropped);
			drops.push({ dueAt: download.dueAt, bytes: dropped.bytes });
		}
	}
	return { late, cutoff: cutoffOf(drops) };
}

/** A download could have been any drop's that came at its own deadline or later: the smallest of these is its limit. */
function cutoffOf(drops: readonly Drop[]): (dueAt: number) => number {
	const smallest: number[] = new Array<number>(drops.length);
	let least = Number.POSITIVE_INFINITY;
	for (let index = drops.length - 1; index >= 0; index -= 1) {
		least = Math.min(least, (drops[index] as Drop).bytes);
		smallest[index] = least;
	}
	return (dueAt) => smallest[firstAtOrAfter(drops, dueAt)] ?? Number.POSITIVE_INFINITY;
}

function firstAtOrAfter(drops: readonly Drop[], dueAt: number): number {
	let low = 0;
	let high = drops.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((drops[middle] as Drop).dueAt < dueAt) low = middle + 1;
		else high = middle;
	}
	return low;
}

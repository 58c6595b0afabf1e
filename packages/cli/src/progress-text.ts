// How far downloads are, in words: a line for each, and one for all of them. Pure; no colours, no control characters.

import type { Download, ProgressSnapshot } from "./download-progress.js";
import { formatBytes, formatShare } from "./format-bytes.js";
import { printable } from "./output.js";

/** Wider lines say no more, and wrap when a terminal is made narrower. */
const MAX_WIDTH = 110;
const BAR = { least: 8, most: 30 };
const HOST = { least: 12, most: 34 };
/** Of a stream's hash: enough to find it in `reelkeep recordings --json`. */
const NAME_DIGITS = 8;

/**
 * One download: `[=====-----]  50%   6.0/12.0 MiB  1.5 MiB/s     4s  HOST 1f9c2a7b`; the time is what is left.
 * *Shape*: at most `width` characters, each one column wide; in little room the host is cut, then the bar left out.
 */
export function downloadText(download: Download, width: number): string {
	const figures = figuresOf(download);
	const [host, digits] = nameOf(download);
	const room = Math.min(width, MAX_WIDTH) - figures.length - digits.length - "[]   ".length;
	const hostSize = Math.min(host.length, HOST.most, Math.max(room - BAR.least, HOST.least));
	const text = `${figures}  ${shorten(host, hostSize)} ${digits}`;
	const barSize = Math.min(room - hostSize, BAR.most);
	return barSize < BAR.least ? text.trimStart().slice(0, width) : `[${drawBar(download, barSize)}]${text}`;
}

function figuresOf({ bytes, totalBytes, bytesPerSecond, remainingMs }: Download): string {
	const fraction = fractionOf({ bytes, totalBytes });
	const figures = [
		fraction === undefined ? "" : `${Math.floor(fraction * 100)}%`,
		formatShare(bytes, totalBytes),
		`${formatBytes(bytesPerSecond)}/s`,
		remainingMs === undefined ? "" : formatRemaining(remainingMs),
	];
	return [5, 15, 11, 6].map((size, index) => (figures[index] ?? "").padStart(size)).join(" ");
}

/** How much is done, from 0 to 1; `undefined`: nobody knows. */
function fractionOf({ bytes, totalBytes }: Pick<Download, "bytes" | "totalBytes">): number | undefined {
	return totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(bytes / totalBytes, 1);
}

function drawBar(download: Download, size: number): string {
	const fraction = fractionOf(download);
	if (fraction === undefined) return " ".repeat(size);
	const done = Math.floor(fraction * size);
	return "=".repeat(done) + "-".repeat(size - done);
}

/** A download is named by its host and a short form of its stream; never by its link. */
function nameOf({ host, stream }: Download): readonly [host: string, digits: string] {
	const [, digits = ""] = /-([0-9a-f]+)$/.exec(stream) ?? [];
	// One column each: what a terminal would draw wider, or not at all, is not worth counting.
	return [printable(host).replace(/[^\x20-\x7e]/g, "?"), digits.slice(0, NAME_DIGITS)];
}

function shorten(text: string, size: number): string {
	return text.length <= size ? text : `${text.slice(0, size - 3)}...`;
}

/** All of them: `4 downloads (1 not shown), 6.0 MiB of 48.0 MiB  3.2 MiB/s; 7 kept, 1 try failed`. */
export function totalText(snapshot: ProgressSnapshot, shown: number): string {
	const { downloads, kept, failed } = snapshot;
	const bytes = sum(downloads.map((download) => download.bytes));
	const totals = downloads.flatMap(({ totalBytes }) => totalBytes ?? []);
	const isTotalKnown = totals.length === downloads.length && totals.length > 0;
	const hidden = downloads.length - shown;
	const underway = count(downloads.length, "download", "downloads");
	const amount = isTotalKnown ? `${formatBytes(bytes)} of ${formatBytes(sum(totals))}` : formatBytes(bytes);
	const rate = `${formatBytes(sum(downloads.map(({ bytesPerSecond }) => bytesPerSecond)))}/s`;
	return `${underway}${hidden > 0 ? ` (${hidden} not shown)` : ""}: ${amount}, ${rate}; ${kept} kept${failed > 0 ? `, ${count(failed, "try", "tries")} failed` : ""}`;
}

/** `4s`, `3m20s`, `1h05m`. */
function formatRemaining(remainingMs: number): string {
	const seconds = Math.ceil(remainingMs / 1000);
	const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
	const twoDigits = (value: number): string => String(value).padStart(2, "0");
	if (minutes === 0) return `${seconds}s`;
	return hours === 0 ? `${minutes}m${twoDigits(seconds % 60)}s` : `${hours}h${twoDigits(minutes % 60)}m`;
}

function count(number: number, one: string, many: string): string {
	return `${number} ${number === 1 ? one : many}`;
}

function sum(numbers: readonly number[]): number {
	return numbers.reduce((total, number) => total + number, 0);
}

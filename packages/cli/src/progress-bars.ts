// Progress bars at the lower end of a terminal, drawn by cli-progress: one for each download, under a line for all.

import { clearScreenDown } from "node:readline";
import type { WriteStream } from "node:tty";
import type { ArchiveProgress, StreamName } from "@reelkeep/core/ports";
import { MultiBar, type SingleBar } from "cli-progress";
import { createDownloadProgress, type Download } from "./download-progress.js";
import type { ProgressDisplay, TotalText } from "./progress-display.js";
import { downloadText, totalText } from "./progress-text.js";

/** More are counted, not shown. */
export const MAX_BARS = 16;
/** A download that is over sooner has no bar. */
const REDRAW_MS = 250;
/** The terminal writes `^C` behind the last bar when it is typed: a line that wrapped there would not be found again. */
const MARGIN = 4;
/** Of a terminal that does not say how high it is. */
const FALLBACK_ROWS = 24;

/** Where bars are drawn. */
export type Terminal = Pick<WriteStream, "write" | "isTTY" | "columns" | "rows"> & NodeJS.WritableStream;

/** Bars on `terminal` while anything is downloaded, and nothing there otherwise. */
export function createProgressBars(terminal: Terminal, total: TotalText = totalText): ProgressDisplay {
	const progress = createDownloadProgress();
	let screen: Screen | undefined;
	let timer: NodeJS.Timeout | undefined;
	let isStopped = false;

	const hide = (): void => {
		clearInterval(timer);
		timer = undefined;
		screen?.close();
		screen = undefined;
	};
	const redraw = (): void => {
		const snapshot = progress.snapshot();
		if (snapshot.downloads.length === 0) {
			hide();
			return;
		}
		screen ??= openScreen(terminal);
		screen.show(snapshot.downloads, (shown) => total(snapshot, shown));
	};
	return {
		apply(notice: ArchiveProgress) {
			progress.apply(notice);
			if (!isStopped) timer ??= setInterval(redraw, REDRAW_MS);
		},
		beside(write) {
			if (screen === undefined) write();
			else screen.beside(write);
		},
		stop() {
			isStopped = true;
			hide();
		},
	};
}

/** What a bar says: it is made of this alone, and not of the library's own count. */
interface Payload {
	readonly text: (width: number) => string;
}

interface Screen {
	show(downloads: readonly Download[], total: (shown: number) => string): void;
	beside(write: () => void): void;
	close(): void;
}

/** One stretch of time with bars. */
function openScreen(terminal: Terminal): Screen {
	const bars = new MultiBar({
		stream: terminal,
		fps: 1000 / REDRAW_MS,
		clearOnComplete: true,
		// What is written between the bars moves them: each is drawn again, changed or not.
		forceRedraw: true,
		// Lines are cut to the terminal; long lines of the log must wrap there as always.
		linewrap: true,
		format: (_options, { maxWidth }, { text }: Payload) => text(Math.max(maxWidth - MARGIN, 0)),
	});
	const shown = new Map<StreamName, SingleBar>();
	const nothing: Payload = { text: () => "" };
	const total = bars.create(1, 0, nothing);
	return {
		show(downloads, totalOf) {
			const visible = downloads.slice(0, roomOf(terminal));
			removeOthers(bars, shown, new Set(visible.map(({ stream }) => stream)));
			for (const download of visible) {
				const payload: Payload = { text: (width) => downloadText(download, width) };
				const bar = shown.get(download.stream);
				if (bar === undefined) shown.set(download.stream, bars.create(1, 0, payload));
				else bar.update(payload);
			}
			const payload: Payload = { text: (width) => totalOf(visible.length).slice(0, width) };
			total.update(payload);
			bars.update();
		},
		beside(write) {
			// Told between moving the cursor to the first bar and drawing them: what is written takes their place.
			bars.once("redraw-pre", () => {
				clearScreenDown(terminal);
				write();
			});
			bars.update();
		},
		close: () => bars.stop(),
	};
}

function removeOthers(
	bars: MultiBar,
	shown: Map<StreamName, SingleBar>,
	visible: ReadonlySet<StreamName>,
): void {
	for (const [stream, bar] of shown) {
		if (visible.has(stream)) continue;
		shown.delete(stream);
		bars.remove(bar);
	}
}

/** The line for all, and one below the bars, have their place too. */
function roomOf({ rows }: Terminal): number {
	return Math.min(MAX_BARS, Math.max((rows || FALLBACK_ROWS) - 3, 0));
}

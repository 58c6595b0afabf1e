// How far downloads are, as plain lines on standard error: for logs of jobs, and terminals that cannot move a cursor.

import { createDownloadProgress } from "./download-progress.js";
import type { ProgressDisplay, TotalText } from "./progress-display.js";
import { totalText } from "./progress-text.js";
import { slowProgress } from "./slow-progress.js";

/** Lines now and then, and none at all while little happens. */
export function createProgressLines(total: TotalText = totalText): ProgressDisplay {
	const progress = createDownloadProgress();
	const tell = slowProgress();
	return {
		apply(notice) {
			progress.apply(notice);
			tell(() => {
				const snapshot = progress.snapshot();
				return total(snapshot, snapshot.downloads.length);
			});
		},
		beside: (write) => write(),
		stop: () => undefined,
	};
}

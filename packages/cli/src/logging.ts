// The log of a command that runs for a while: JSON lines on standard error, above the progress bars if there are any.

import { guardLogger, type Logger } from "@reelkeep/core";
import { pino } from "pino";
import type { ProgressDisplay, ProgressKind } from "./progress-display.js";

/** Makes a logger that never throws: standard error may lead to a full disk, and that must not end the process. */
export function openLog(level: string, kind: ProgressKind, display: ProgressDisplay): Logger {
	const besideBars = { write: (line: string) => display.beside(() => void process.stderr.write(line)) };
	const destination = kind === "bars" ? besideBars : pino.destination({ dest: 2, sync: true });
	return guardLogger(pino({ level, base: null }, destination));
}

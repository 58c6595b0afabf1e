// What an append is told when the disk does not take it.

import { type StoreFault, storeFault } from "@reelkeep/core/ports";
import { hasCode } from "./file-system.js";

/** A write failed, and nothing is lost by that. */
export function cannotWrite(error: unknown): StoreFault {
	return storeFault("io", `the event log cannot be written: ${whatToDo(error)}`, { cause: error });
}

/** Nobody knows what is on the disk. */
export function writeFailed(error: unknown): StoreFault {
	const message = `the event log could not be written or synced: ${whatToDo(error)}; it is opened anew until that succeeds`;
	return storeFault("failed", message, { cause: error, retryable: true });
}

export function fullLog(maxEvents: number): StoreFault {
	const message = `the event log is full: it holds ${maxEvents} events, its limit; raise maxEvents`;
	return storeFault("io", message, { retryable: false });
}

function whatToDo(error: unknown): string {
	return hasCode(error, "ENOSPC", "EDQUOT") ? "the disk is full; make room" : "look at the disk";
}

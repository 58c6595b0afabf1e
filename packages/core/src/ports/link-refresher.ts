// Where a new link to the same object may be had, when the one that was reported has died or soon will. Yours to provide.

import type { StreamName } from "./event-store.js";

/**
 * - `dying`: the link lives, and its video may not be kept in time
 * - `dead`: the origin says that its time is over
 */
export type RefreshReason = "dying" | "dead";

export interface RefreshRequest {
	readonly stream: StreamName;
	readonly projectId: string;
	readonly trackInfo: string;
	readonly gameId: string;
	readonly accountId: string;
	readonly accountDomain: number;
	/** Host and path of the reported link: the new one names the same. */
	readonly object: string;
	/** When the last known link dies; UTC milliseconds. */
	readonly deadline: number;
	readonly reason: RefreshReason;
}

export interface RefreshedLink {
	readonly downloadUrl: string;
	/** UTC milliseconds; without it the link itself says when it dies. */
	readonly expireTime?: number;
}

export interface LinkRefresher {
	/**
	 * Obtains a new link. `undefined`: there is none. The archiver records it as `LinkRenewed`, and asks at most once a
	 * minute for a recording and a reason. `signal` aborts after 30 seconds, and when the archiver stops or has more urgent
	 * work; what comes then counts for nothing.
	 * *Errors*: may reject; it is asked again later while the recording waits, up to 24 hours behind its deadline. After a
	 * rejection, or 30 seconds of silence, it is asked for no recording for a minute, and then for one at a time until it
	 * answers. What it throws is never logged.
	 */
	refresh(
		request: RefreshRequest,
		options: { readonly signal: AbortSignal },
	): Promise<RefreshedLink | undefined>;
}

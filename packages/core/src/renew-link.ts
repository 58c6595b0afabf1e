// A new link to a recording that is known already, from elsewhere than a callback: a refresher, or a service's own hands.

import { execute, loadRecording } from "./execute.js";
import { linkObject, parseLink } from "./link.js";
import type { EventMetadata, EventStore, StreamName } from "./ports/event-store.js";
import type { Keyring } from "./ports/keyring.js";
import type { Clock, Ids } from "./ports/runtime.js";
import { isNewLink } from "./recording.js";
import { sealLink } from "./seal-link.js";

export interface RenewLinkDeps {
	readonly store: EventStore;
	readonly keyring: Keyring;
	readonly clock: Clock;
	readonly ids: Ids;
}

/**
 * - `LinkRenewed`: recorded; a recording that had expired or was abandoned is open again
 * - `NotNeeded`: the link is known, or the video is kept
 * - `TooMany`: the recording has as many links as it may: it takes another once it came to rest, unless it had 1,000 by then
 * - `NotTheSame`: no recording of this stream, or the link names another object than the reported one
 */
export type RenewLinkResult = "LinkRenewed" | "NotNeeded" | "TooMany" | "NotTheSame";

/**
 * Records a new link of a recording, as a callback with it would.
 * *Units*: `expireTime` in UTC milliseconds; without it, or when it is no finite number, the link says itself when it dies.
 * *Errors*: rejects with a `StoreFault` or a `KeyringFault`.
 */
export async function renewLink(
	deps: RenewLinkDeps,
	stream: StreamName,
	link: { readonly downloadUrl: string; readonly expireTime?: number },
	options: { readonly metadata: EventMetadata },
): Promise<RenewLinkResult> {
	const url = parseLink(link.downloadUrl);
	const { recording } = await loadRecording(deps.store, stream);
	if (url === undefined || recording.reported?.object !== linkObject(url)) return "NotTheSame";
	const { downloadUrl } = link;
	const expireTime = Number.isFinite(link.expireTime) ? Number(link.expireTime) : 0;
	const receivedAt = deps.clock.now();
	const sealed = await sealLink(deps.keyring, stream, { downloadUrl, expireTime, receivedAt });
	const { outcome } = await execute(
		deps,
		stream,
		{
			_tag: "ReportRecording",
			facts: recording.reported,
			version: 0,
			action: "",
			link: sealed,
			contentFingerprint: () => "",
		},
		options,
	);
	if (outcome === "LinkRenewed") return "LinkRenewed";
	const { recording: refusing } = await loadRecording(deps.store, stream);
	return isNewLink(refusing, sealed.linkFingerprint) ? "TooMany" : "NotNeeded";
}

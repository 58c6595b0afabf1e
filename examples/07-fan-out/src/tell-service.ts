// Tells a service of every recording over HTTP. The delivery's identity goes along, so that the service does it once.

import type { SubscriptionHandler } from "@reelkeep/core";

const TIMEOUT_MS = 10_000;

export function tellService(url: string): SubscriptionHandler {
	return async (event, { id, signal }) => {
		if (event.type !== "RecordingReported") return;
		const response = await fetch(url, {
			method: "POST",
			headers: { "content-type": "application/json", "idempotency-key": id },
			body: JSON.stringify({ track: event.data.trackInfo }),
			signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
		});
		await response.arrayBuffer();
		// Not taken: Reelkeep tries again, and parks this recording when that does not help.
		if (!response.ok) throw new Error(`the service answered ${response.status}`);
	};
}

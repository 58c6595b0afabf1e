// A link that says http, asked over https first (`preferHttps`). OSS signs neither scheme nor host, and serves both.

import { type PinnedAnswer, type PinnedRequest, requestPinned } from "./pinned-request.js";

/** What is only tried must not take a download's time: most firewalls that block 443 say nothing. */
const UPGRADE_TIMEOUT_MS = 5_000;

/** The same link over https; `undefined`: it says https already, or names a port, which serves one of the two only. */
export function upgradeToHttps(url: URL): URL | undefined {
	if (url.protocol !== "http:" || url.port !== "") return undefined;
	const upgraded = new URL(url);
	upgraded.protocol = "https:";
	return upgraded;
}

/**
 * Asks over https, and by http only if no TLS connection came about: refused, in vain, or with a certificate that is not
 * the host's. Once it stands, what is answered, or is not, holds. Never rejects.
 */
export async function requestPreferringHttps(request: PinnedRequest): Promise<PinnedAnswer> {
	const url = upgradeToHttps(request.url);
	if (url === undefined) return requestPinned(request);
	const connectTimeoutMs = Math.min(request.connectTimeoutMs, UPGRADE_TIMEOUT_MS);
	const answer = await requestPinned({ ...request, url, connectTimeoutMs });
	const isSettled = answer._tag === "Answered" || answer.isConnected || request.signal.aborted;
	return isSettled ? answer : requestPinned(request);
}

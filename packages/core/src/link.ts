// Download links: what they name, when they say they die, and how they are shown. A link is a secret: only its
// object (host and path) may be seen.

import { sha256Hex } from "./sha256.js";

/** A callback's link is asked for by its codec, for its identity and for its deadline: parsed once. */
let lastParsed: { readonly link: string; readonly url: URL | undefined } | undefined;

/** The link as a URL, not to be changed, when it is http or https and has a host; `undefined` otherwise. */
export function parseLink(link: string): URL | undefined {
	if (lastParsed?.link !== link) lastParsed = { link, url: parse(link) };
	return lastParsed.url;
}

function parse(link: string): URL | undefined {
	let url: URL;
	try {
		url = new URL(link);
	} catch {
		return undefined;
	}
	return (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "" ? url : undefined;
}

/** The object a link names: host (with its port when it is not the scheme's own) and path, without the query. */
export function linkObject(url: URL): string {
	return url.host + url.pathname;
}

/** The link as anyone may see it: no user, no query, no fragment. */
export function maskLink(url: URL): string {
	return `${url.protocol}//${url.host}${url.pathname}${url.search === "" ? "" : "?***"}`;
}

/** Tells links apart without keeping them: SHA-256 in lower-case hex. */
export function linkFingerprint(link: string): string {
	return sha256Hex(link);
}

/** A stated expiry, before anyone judged whether it is plausible. UTC milliseconds. */
export interface StatedExpiry {
	readonly at: number;
	/** The number as it stood in the link. */
	readonly value: number;
}

/**
 * When the link itself says that it expires: OSS V1 `Expires`, V2 `x-oss-expires` (seconds since the epoch), OSS V4 and
 * S3 (a start and a duration in seconds). `undefined` when it says nothing that can be read.
 */
export function linkExpiry(url: URL): StatedExpiry | undefined {
	if (url.search === "") return undefined;
	const parameters = new Map<string, string>();
	for (const [key, value] of url.searchParams) parameters.set(key.toLowerCase(), value);
	return (
		startAndDuration(parameters.get("x-oss-date"), parameters.get("x-oss-expires")) ??
		startAndDuration(parameters.get("x-amz-date"), parameters.get("x-amz-expires")) ??
		epochSeconds(parameters.get("x-oss-expires")) ??
		epochSeconds(parameters.get("expires"))
	);
}

function epochSeconds(text: string | undefined): StatedExpiry | undefined {
	if (text === undefined || !/^[0-9]{1,15}$/.test(text)) return undefined;
	const value = Number(text);
	return { at: value * 1000, value };
}

function startAndDuration(start: string | undefined, duration: string | undefined): StatedExpiry | undefined {
	const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(start ?? "");
	if (parts === null || duration === undefined || !/^[0-9]{1,9}$/.test(duration)) return undefined;
	const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
	const at = Date.UTC(year, month - 1, day, hour, minute, second) + Number(duration) * 1000;
	return { at, value: Number(duration) };
}

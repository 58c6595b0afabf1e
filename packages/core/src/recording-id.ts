// A recording's identity and the names of streams. Names are an injective hash: no trimming, no normalising.

import { linkObject, parseLink } from "./link.js";
import type { StreamName } from "./ports/event-store.js";
import type { ScreenRecordCallback } from "./screen-record-callback.js";
import { sha256Hex } from "./sha256.js";

/** What makes a recording this one: `track_info` alone is a call chain, not a file. */
export interface RecordingId {
	readonly projectId: string;
	readonly trackInfo: string;
	/** Host and path of the download link, without its query. */
	readonly object: string;
}

const RECORDING_PREFIX = "recording-";
const QUARANTINE_PREFIX = "quarantine-";

/** The identity of the recording that a decoded callback is about. */
export function recordingIdOf(callback: ScreenRecordCallback): RecordingId {
	const url = parseLink(callback.downloadUrl);
	if (url === undefined) throw new TypeError("a decoded callback has an http or https link");
	return { projectId: callback.projectId, trackInfo: callback.trackInfo, object: linkObject(url) };
}

/** `recording-<64 hex>`. */
export function recordingStream(id: RecordingId): StreamName {
	return RECORDING_PREFIX + hashFields([id.projectId, id.trackInfo, id.object]);
}

/** `quarantine-<64 hex>`: the same body from the same app is the same stream, however often it is retried. */
export function quarantineStream(appKey: string, body: Uint8Array): StreamName {
	return QUARANTINE_PREFIX + hashFields([appKey, sha256Hex(body)]);
}

export function isRecordingStream(stream: StreamName): boolean {
	return stream.startsWith(RECORDING_PREFIX);
}

/**
 * SHA-256 over length-prefixed fields, lower-case hex. A JSON string is the field's text: it tells lone surrogates
 * apart, which UTF-8 would not.
 */
export function hashFields(fields: readonly string[]): string {
	let text = "";
	for (const field of fields) {
		const json = JSON.stringify(field);
		text += `${json.length}:${json}`;
	}
	return sha256Hex(text);
}

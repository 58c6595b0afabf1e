// Where every store keeps a video, so that a kept location stays true when the videos are moved to another store.

import { sha256Hex } from "../sha256.js";
import type { VideoKey } from "./video-store.js";

const LOCATION = /^videos\/([0-9a-f]{2})\/\1[0-9a-f]{62}\.mp4$/;

/**
 * 64 hex digits: the SHA-256 of `key` as JSON text. JSON, because it tells apart strings that UTF-8 does not (lone
 * surrogates); by hand: `printf '"%s"' KEY | sha256sum`.
 */
export function videoName(key: VideoKey): string {
	return sha256Hex(JSON.stringify(key));
}

/** `videos/ab/NAME.mp4`, by the first digits of its `videoName`. */
export function videoLocation(key: VideoKey): string {
	return locationOfVideo(videoName(key));
}

/** `name`: a `videoName`. */
export function locationOfVideo(name: string): string {
	return `videos/${name.slice(0, 2)}/${name}.mp4`;
}

/** Whether `text` is what `videoLocation` makes of some key; so it leads nowhere else. */
export function isVideoLocation(text: string): boolean {
	return LOCATION.test(text);
}

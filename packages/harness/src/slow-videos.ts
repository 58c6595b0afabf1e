// Videos on the object store of the tests, each with bytes of its own: some come so slowly, the first times, that a kill
// finds them half done.

import { createHash, randomBytes } from "node:crypto";
import { type ObjectFault, type ObjectStore, sampleVideo } from "@reelkeep/testing";
import type { StatedLink } from "./reporters.js";

export interface SlowVideo {
	readonly name: string;
	readonly link: StatedLink;
	readonly bytes: number;
	/** Lower-case hex. */
	readonly sha256: string;
}

export interface SlowVideoOptions {
	readonly name: string;
	/** Bytes behind those of the sample video. */
	readonly extraBytes: number;
	/** How many of the first downloads drip. */
	readonly slowTimes: number;
}

/** Takes a second for each 320 KiB, less than the archiver's patience. */
const DRIP: ObjectFault = { _tag: "Drip", chunkBytes: 8 * 1024, delayMs: 25 };
const LIFETIME_MS = 3_600_000;
/** A box of an MP4 that players pass over starts with its length and this. */
const FREE_BOX = Buffer.from("free");

/** Makes a video up and puts it on `origin`. */
export async function putSlowVideo(origin: ObjectStore, options: SlowVideoOptions): Promise<SlowVideo> {
	const { name, extraBytes, slowTimes } = options;
	const box = Buffer.concat([Buffer.alloc(4), FREE_BOX, randomBytes(extraBytes)]);
	box.writeUInt32BE(box.length);
	const video = Buffer.concat([await sampleVideo(), box]);
	origin.put(name, video);
	origin.fault(name, ...Array<ObjectFault>(slowTimes).fill(DRIP));
	const expiresAtMs = Date.now() + LIFETIME_MS;
	const sha256 = createHash("sha256").update(video).digest("hex");
	return { name, link: { url: origin.presign(name, expiresAtMs), expiresAtMs }, bytes: video.length, sha256 };
}

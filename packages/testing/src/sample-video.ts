import { readFile } from "node:fs/promises";

/** A real MP4 of two seconds (H.264 baseline, 320x180, 10 KB), playable everywhere. From src and from dist. */
export async function sampleVideo(): Promise<Uint8Array> {
	return readFile(new URL("../fixtures/recording.mp4", import.meta.url));
}

import { readdirSync, readFileSync } from "node:fs";
import { type Capture, readCapture } from "./top-request.js";

const folder = new URL("../fixtures/captures/", import.meta.url);

/** The raw captures of real SDKs (docs/top-protocol.md), by name: `java2021-md5-xml`. */
export const CAPTURE_NAMES: readonly string[] = readdirSync(folder)
	.map((file) => file.replace(/\.http$/, ""))
	.sort();

export function loadCapture(name: string): Capture {
	return readCapture(readFileSync(new URL(`${name}.http`, folder)));
}

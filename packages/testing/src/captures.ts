import { readFileSync } from "node:fs";
import { type Capture, readCapture } from "./top-request.js";

/** The raw captures of real SDKs (docs/top-protocol.md), by name: SDK, its release, and how it was called. */
export const CAPTURE_NAMES = [
	"java2017-default-hmac-json",
	"java2021-default-hmacsha256-json",
	"java2021-md5-xml",
	"java2021-simplify",
	"node-taobao-sdk-post-object",
	"node-topclient-post",
	"php2018-json-null",
	"php2018-json-strings",
	"php2018-xml-default",
	"python3-2020",
	"python3-2020-dict",
] as const;

export type CaptureName = (typeof CAPTURE_NAMES)[number];

export function loadCapture(name: CaptureName): Capture {
	return readCapture(readFileSync(new URL(`../fixtures/captures/${name}.http`, import.meta.url)));
}

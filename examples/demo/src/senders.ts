// The requests of the demo: raw captures of real SDKs, changed only in timestamp, signature and link.

import { type CaptureName, loadCapture, replaceLink, resign } from "@reelkeep/testing";

/** Captured from the real SDKs with this key and secret (docs/top-protocol.md). */
export const APP_KEY = "12345678";
export const SECRET = "helloworld";

export interface Sender {
	readonly name: string;
	readonly habit: string;
	readonly capture: CaptureName;
	/** The object of its video. */
	readonly object: string;
}

export const SENDERS: readonly Sender[] = [
	{
		name: "Java SDK 2021",
		habit: "form body, hmac-sha256, JSON",
		capture: "java2021-default-hmacsha256-json",
		object: "java.mp4",
	},
	{ name: "PHP SDK 2018", habit: "form body, md5, XML", capture: "php2018-xml-default", object: "php.mp4" },
	{
		name: "Python SDK 2020",
		habit: "form body, md5, time in milliseconds",
		capture: "python3-2020",
		object: "python.mp4",
	},
	{
		name: "Node SDK (official)",
		habit: "multipart, md5, numbers as strings",
		capture: "node-taobao-sdk-post-object",
		object: "node.mp4",
	},
];

export const UNDECODABLE: Sender = {
	name: "Python SDK 2020, a dict passed raw",
	habit: "single quotes: signed, but not JSON",
	capture: "python3-2020-dict",
	object: "dict.mp4",
};

/** The request's bytes, signed at `now`, its video behind `link`. */
export function requestOf(sender: Sender, link: string, now: number, secret = SECRET): Buffer {
	const edit = (requestParam: string): string => replaceLink(requestParam, link);
	return resign(loadCapture(sender.capture), { secret, now, edit });
}

// Requests as a certain SDK sends them, with a callback of the test's, for whatever takes requests: a port, a fetch handler.

import { changeMember } from "./callback-text.js";
import { type CaptureName, loadCapture } from "./captures.js";
import { readCapture, resign } from "./top-request.js";

/** Of the captures; made up, like everything in them. */
export const SAMPLE_APP = { appKey: "12345678", secret: "helloworld" } as const;

export interface SdkRequestOptions {
	/** Default: those of `SAMPLE_APP`. */
	readonly appKey?: string;
	readonly secret?: string;
	/** When it is signed, UTC milliseconds: `clock.now()` of the verifier's clock. Default: the system's time. */
	readonly now?: number;
	/** Members of the callback that are other than captured, as `{ track_info: "a", expire_time: 1735689600000 }`. */
	readonly callback?: Readonly<Record<string, string | number>>;
}

/**
 * The bytes of a request as the SDK `name` puts them on the wire: its headers, where it puts parameters, how it encodes
 * and signs them, how it writes JSON. *Errors*: throws for a member of `callback` that the capture has not.
 */
export function sdkRequest(name: CaptureName, options: SdkRequestOptions = {}): Buffer {
	const { appKey = SAMPLE_APP.appKey, secret = SAMPLE_APP.secret, now = Date.now(), callback = {} } = options;
	const edit = (requestParam: string) =>
		Object.entries(callback).reduce(
			(text, [member, value]) => changeMember(text, member, value),
			requestParam,
		);
	return resign(loadCapture(name), { secret, now, edit, parameters: { app_key: appKey } });
}

/**
 * The same request with one bit of its callback turned, and the signature as it was: what a receiver must not take.
 * *Errors*: throws when there is no callback with `track_info` in it.
 */
export function flipSignedByte(request: Uint8Array): Buffer {
	const flipped = Buffer.from(request);
	const at = flipped.indexOf("track_info");
	if (at === -1) throw new Error("the request has no callback with track_info");
	flipped[at] = (flipped[at] ?? 0) ^ 0x20;
	return flipped;
}

/**
 * The request for a fetch handler, without its `Accept-Encoding`: between handler and test nobody decodes an answer.
 * *Errors*: throws a `TypeError` for a GET with a body, which fetch does not know.
 */
export function toFetchRequest(request: Uint8Array, origin = "http://127.0.0.1"): Request {
	const { method, target, headers, body } = readCapture(request);
	return new Request(new URL(target, origin), {
		method,
		headers: headers
			.filter(([name]) => name.toLowerCase() !== "accept-encoding")
			.map(([name, value]): [string, string] => [name, value]),
		...(body.length > 0 && { body: new Uint8Array(body) }),
	});
}

// A callback as one of the real SDKs sends it, for a service's own endpoint: as raw bytes, or as a `Request`.

import { gunzipSync } from "node:zlib";
import { CAPTURE_NAMES, loadCapture } from "./captures.js";
import { readCapture, replaceLink, resign } from "./top-request.js";

export interface SdkRequestOptions {
	readonly appKey: string;
	readonly secret: string;
	/** UTC milliseconds, of the receiver's clock. Default: now. */
	readonly now?: number;
	/** Another download link, written as this SDK writes links. */
	readonly link?: string;
	/** Another `expire_time`, UTC milliseconds; with `link` only. */
	readonly expireTime?: number;
	/** The whole callback instead, as `JSON.stringify` writes it: this SDK's habits in writing JSON are lost. */
	readonly callback?: Readonly<Record<string, unknown>>;
	/** Path of the endpoint. Default: that of the capture, `/router/rest`. */
	readonly path?: string;
}

/**
 * The raw HTTP request of an SDK: its places, encodings, header order, timestamp and JSON, signed for you.
 * *Errors*: throws a `RangeError` for a name that is not in `CAPTURE_NAMES`.
 */
export function sdkRequest(sdk: string, options: SdkRequestOptions): Buffer {
	if (!CAPTURE_NAMES.includes(sdk)) {
		throw new RangeError(`there is no capture of ${sdk}; there are ${CAPTURE_NAMES.join(", ")}`);
	}
	const { appKey, secret, now = Date.now(), link, expireTime, callback, path } = options;
	const capture = loadCapture(sdk);
	const target = path === undefined ? capture.target : capture.target.replace(/^[^?]*/, path);
	return resign(
		{ ...capture, target },
		{
			secret,
			now,
			parameters: { app_key: appKey },
			edit(requestParam) {
				if (callback !== undefined) return JSON.stringify(callback);
				return link === undefined ? requestParam : replaceLink(requestParam, link, expireTime);
			},
		},
	);
}

/**
 * A raw request as what handlers of `fetch` take, byte for byte. *Shape*: `origin` is `http://host:port`.
 * *Errors*: throws a `TypeError` for a GET with a body: `Request` has none.
 */
export function toFetchRequest(raw: Uint8Array, origin = "http://127.0.0.1"): Request {
	const { method, target, headers, body } = readCapture(raw);
	const init = { method, headers: headers.map(([name, value]): [string, string] => [name, value]) };
	return new Request(new URL(target, origin), body.length === 0 ? init : { ...init, body });
}

/** The text of what a handler answered: some SDKs ask for gzip, and a `Response` in hand is not unpacked by itself. */
export async function answerText(response: Response): Promise<string> {
	const bytes = Buffer.from(await response.arrayBuffer());
	return (response.headers.get("content-encoding") === "gzip" ? gunzipSync(bytes) : bytes).toString("utf8");
}

/**
 * The same request with one bit of its `request_param` flipped: the control of every test that says that bytes arrive as
 * they were sent. *Errors*: throws a `TypeError` for a request without one.
 */
export function flipBit(raw: Uint8Array): Buffer {
	const flipped = Buffer.from(raw);
	const text = flipped.toString("latin1");
	const name = text.indexOf("request_param");
	// In multipart the part's headers stand between its name and its value.
	const end = name + "request_param".length;
	const letters = /(?<!%[0-9A-F]?)[a-z]{3}/g;
	letters.lastIndex = text.startsWith('"', end) ? text.indexOf("\r\n\r\n", end) : end;
	const at = letters.exec(text)?.index;
	if (name === -1 || at === undefined) throw new TypeError("there is no request_param with letters in it");
	flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at);
	return flipped;
}

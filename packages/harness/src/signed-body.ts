// Signed requests whose body is signed as it stands — batches, the SPI direction — and any request taken apart: what
// attacks start from. Signs by itself, like `top-request.ts`.

import { createHash, createHmac } from "node:crypto";
import { chinaTime, readCapture, type SignMethod, signTop, unsignedRequest } from "@reelkeep/testing";
import { TEST_APP_KEY, TEST_SECRET } from "./transcript.js";

export interface SignedBodyOptions {
	/** `/router/batch` or `/spi`. */
	readonly path: string;
	readonly secret: string;
	readonly appKey: string;
	/** UTC milliseconds. */
	readonly now: number;
	readonly body: string | Uint8Array;
	/** Default md5. */
	readonly signMethod?: SignMethod;
	/** Changes, adds or (`undefined`) removes parameters of the query before signing. */
	readonly parameters?: Readonly<Record<string, string | undefined>>;
	/** Changes, adds or removes parameters of the query after signing; `sign` too. */
	readonly afterSigning?: Readonly<Record<string, string | undefined>>;
	/** Sent, named in `top-sign-list` and signed. */
	readonly signedHeaders?: Readonly<Record<string, string>>;
	/** Sent, not signed; the content type is `text/plain` unless it is among them. */
	readonly headers?: Readonly<Record<string, string>>;
}

/** A request as a handler sees it. */
export interface RequestParts {
	readonly method: string;
	readonly target: string;
	/** Names in lower case. */
	readonly headers: ReadonlyMap<string, string>;
	readonly body: Buffer;
}

/** One way to send a callback, with the sign that is right for it. */
export interface SignedWay {
	readonly direction: "gateway" | "spi";
	readonly request: RequestParts;
	readonly sign: string;
}

const METHOD = "alibaba.cgame.avatar.video.record.report";

/** The parameters of a call of the test app, without its sign. `now`: UTC milliseconds. */
export function callParameters(options: CallOptions): (readonly [name: string, value: string])[] {
	const { requestParam, signMethod = "md5", timestamp = chinaTime(options.now) } = options;
	return Object.entries({
		app_key: TEST_APP_KEY,
		format: "json",
		method: METHOD,
		request_param: requestParam,
		sign_method: signMethod,
		timestamp,
		v: "2.0",
	});
}

export interface CallOptions {
	/** For the direction `spi` it must be JSON. */
	readonly requestParam: string;
	/** UTC milliseconds. */
	readonly now: number;
	readonly signMethod?: SignMethod;
	/** As it is written. Default: `now` as text. */
	readonly timestamp?: string;
}

/** One callback of the test app, sent in every way: a call in each place, a batch, the SPI direction. */
export function signedInEveryWay(options: CallOptions): readonly SignedWay[] {
	const { requestParam, now, signMethod = "md5", timestamp = chinaTime(now) } = options;
	const pairs = callParameters(options);
	const sign = signTop(pairs, TEST_SECRET, signMethod);
	const calls = (["form", "body", "query", "multipart"] as const).map((place): SignedWay => {
		const bytes = unsignedRequest([...pairs, ["sign", sign]], { place });
		return { direction: "gateway", request: takeApart(bytes), sign };
	});
	// As senders write that do not percent-encode: UTF-8 as it is.
	const form = takeApart(unsignedRequest([...pairs, ["sign", sign]]));
	const bare = { ...form, body: Buffer.from(`request_param=${requestParam}`) };
	const shared = { secret: TEST_SECRET, appKey: TEST_APP_KEY, now, signMethod };
	const batch = signedBodyRequest({
		...shared,
		path: "/router/batch",
		body: `method=${METHOD}&request_param=${encodeURIComponent(requestParam)}`,
		parameters: { timestamp },
	});
	const spi = signedBodyRequest({
		...shared,
		path: "/spi",
		body: `{"request_param":${requestParam}}`,
		parameters: { timestamp, method: METHOD },
		headers: { "Content-Type": "application/json" },
	});
	return [
		...calls,
		{ direction: "gateway", request: bare, sign },
		{ direction: "gateway", request: takeApart(batch), sign: signIn(batch) },
		{ direction: "spi", request: takeApart(spi), sign: signIn(spi) },
	];
}

/** The raw bytes of a POST that is signed over its query, its signed headers and its body. */
export function signedBodyRequest(options: SignedBodyOptions): Buffer {
	const { path, secret, signMethod = "md5", signedHeaders = {} } = options;
	const body = Buffer.from(options.body);
	const defaults: Readonly<Record<string, string | undefined>> = {
		app_key: options.appKey,
		format: "json",
		sign_method: signMethod,
		timestamp: chinaTime(options.now),
		v: "2.0",
	};
	const parameters = { ...defaults, ...options.parameters };
	const sign = signWithBody(present({ ...parameters, ...signedHeaders }), body, secret, signMethod);
	const query = present({ ...parameters, sign, ...options.afterSigning })
		.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
		.join("&");
	const list = Object.keys(signedHeaders);
	const headers = {
		Host: "127.0.0.1",
		"Content-Type": "text/plain;charset=UTF-8",
		"Content-Length": String(body.length),
		...(list.length === 0 ? {} : { "top-sign-list": list.join(",") }),
		...signedHeaders,
		...options.headers,
	};
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	const head = `POST ${path}?${query} HTTP/1.1\r\n${lines.join("")}\r\n`;
	return Buffer.concat([Buffer.from(head, "latin1"), body]);
}

/** The upper-case hex signature of `pairs` and the bytes behind them; `sign` is left out. */
function signWithBody(
	pairs: readonly (readonly [name: string, value: string])[],
	body: Uint8Array,
	secret: string,
	method: SignMethod,
): string {
	const text = pairs
		.filter(([name]) => name !== "sign")
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.flat()
		.join("");
	const digest =
		method === "md5"
			? createHash("md5")
					.update(secret + text)
					.update(body)
					.update(secret)
			: createHmac(method === "hmac" ? "md5" : "sha256", secret)
					.update(text)
					.update(body);
	return digest.digest("hex").toUpperCase();
}

/** Throws when `bytes` are no HTTP request. */
export function takeApart(bytes: Uint8Array): RequestParts {
	const { method, target, headers, body } = readCapture(bytes);
	return { method, target, headers: new Map(headers.map(([n, v]) => [n.toLowerCase(), v])), body };
}

function signIn(bytes: Buffer): string {
	return /[?&]sign=([0-9A-F]+)/.exec(bytes.toString("latin1"))?.[1] ?? "";
}

function present(
	values: Readonly<Record<string, string | undefined>>,
): (readonly [name: string, value: string])[] {
	return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

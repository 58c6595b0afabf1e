// Requests as TOP's SDKs send them: raw captures, re-signed and re-sent byte by byte, and synthetic ones. Signs by
// itself, without adapter-http, so that no test verifies the product with the product.

import { createHash, createHmac } from "node:crypto";

/** One captured request, as it was on the wire. */
export interface Capture {
	readonly method: string;
	/** Path and query, nothing decoded. */
	readonly target: string;
	/** Names and values as written, in their order. */
	readonly headers: readonly (readonly [name: string, value: string])[];
	readonly body: Buffer;
}

export type SignMethod = "md5" | "hmac" | "hmac-sha256";

export interface ResignOptions {
	readonly secret: string;
	/** The new timestamp, UTC milliseconds; written in the capture's own form. */
	readonly now: number;
	/** Changes the decoded `request_param`. Default: as captured. */
	readonly edit?: (requestParam: string) => string;
	/** Changes, adds or (`undefined`) removes other parameters before signing. */
	readonly parameters?: Readonly<Record<string, string | undefined>>;
}

export interface SignedRequestOptions {
	readonly secret: string;
	readonly appKey: string;
	/** UTC milliseconds; the timestamp is GMT+8 text. */
	readonly now: number;
	/** `undefined` leaves `request_param` out. */
	readonly requestParam: string | undefined;
	/** Where the parameters go. Default `form`: public ones in the query, `request_param` in the body, as Java does. */
	readonly place?: "form" | "body" | "query" | "get-with-body" | "multipart";
	/** Default md5. */
	readonly signMethod?: SignMethod;
	/** Changes, adds or (`undefined`) removes parameters before signing. Default: `format` is `json`. */
	readonly parameters?: Readonly<Record<string, string | undefined>>;
	/** Changes, adds or removes parameters after signing; `sign` too. */
	readonly afterSigning?: Readonly<Record<string, string | undefined>>;
	readonly headers?: Readonly<Record<string, string>>;
}

type Pairs = readonly (readonly [name: string, value: string])[];

const METHOD = "alibaba.cgame.avatar.video.record.report";
const BOUNDARY = "--------------------------reelkeep0testing0boundary";

/** Parses a `.http` file. Throws when it is none. */
export function readCapture(file: Uint8Array): Capture {
	const bytes = Buffer.from(file);
	const end = bytes.indexOf("\r\n\r\n");
	const [requestLine = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
	const [method, target] = requestLine.split(" ");
	if (end === -1 || method === undefined || target === undefined) throw new Error("not a captured request");
	const headers = lines.map((line): [string, string] => {
		const colon = line.indexOf(":");
		return [line.slice(0, colon), line.slice(colon + 1).trim()];
	});
	return { method, target, headers, body: bytes.subarray(end + 4) };
}

/** The raw bytes of `capture`, signed anew: only timestamp, sign and what the options change differ from it. */
export function resign(capture: Capture, options: ResignOptions): Buffer {
	const places = splitPlaces(capture);
	const all = [...places.query, ...places.body];
	const changed = applyEdits(all, options);
	const sign = signTop(changed, options.secret, methodOf(changed));
	const fresh = new Map([...changed, ["sign", sign]]);
	const query = rewrite(places.query, fresh);
	const added = [...fresh].filter(([name]) => !all.some(([known]) => known === name));
	return join(capture, query, [...rewrite(places.body, fresh), ...added]);
}

/** A request of our own making, signed like an SDK's. */
export function signedRequest(options: SignedRequestOptions): Buffer {
	const defaults: Record<string, string | undefined> = {
		method: METHOD,
		app_key: options.appKey,
		timestamp: chinaTime(options.now),
		v: "2.0",
		format: "json",
		sign_method: options.signMethod ?? "md5",
		request_param: options.requestParam,
	};
	const signed = present({ ...defaults, ...options.parameters });
	const sign = signTop(signed, options.secret, methodOf(signed));
	return unsignedRequest(present({ ...Object.fromEntries(signed), sign, ...options.afterSigning }), options);
}

/** A request with exactly these parameters, in this order; the same name may stand twice. */
export function unsignedRequest(
	parameters: Pairs,
	options: Pick<SignedRequestOptions, "place" | "headers"> = {},
): Buffer {
	const { place = "form" } = options;
	const isBusiness = ([name]: readonly [string, string]): boolean => name === "request_param";
	const query =
		place === "query" ? parameters : place === "form" ? parameters.filter((p) => !isBusiness(p)) : [];
	const body = place === "query" ? [] : place === "form" ? parameters.filter(isBusiness) : parameters;
	const contentType =
		place === "multipart" ? `multipart/form-data; boundary=${BOUNDARY}` : "application/x-www-form-urlencoded";
	const headers = {
		Host: "127.0.0.1",
		"Content-Type": contentType,
		"Content-Length": "0",
		...options.headers,
	};
	const method = place === "query" || place === "get-with-body" ? "GET" : "POST";
	return join(
		{ method, target: "/router/rest?", headers: Object.entries(headers), body: Buffer.alloc(0) },
		query,
		body,
	);
}

/** The upper-case hex signature of `parameters`, all values signed, `sign` left out. */
export function signTop(
	parameters: Iterable<readonly [string, string]>,
	secret: string,
	method: SignMethod,
): string {
	const text = [...parameters]
		.filter(([name]) => name !== "sign")
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([name, value]) => name + value)
		.join("");
	const digest =
		method === "md5"
			? createHash("md5").update(secret + text + secret)
			: createHmac(method === "hmac" ? "md5" : "sha256", secret).update(text);
	return digest.digest("hex").toUpperCase();
}

/** `yyyy-MM-dd HH:mm:ss` in GMT+8. */
export function chinaTime(nowMs: number): string {
	return new Date(nowMs + 8 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
}

function present(parameters: Readonly<Record<string, string | undefined>>): [string, string][] {
	return Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

function methodOf(parameters: Iterable<readonly [string, string]>): SignMethod {
	const method = new Map(parameters).get("sign_method");
	return method === "hmac" || method === "hmac-sha256" ? method : "md5";
}

/** The SDK's own timestamp form stays: 13 digits, or text. */
function applyEdits(all: Pairs, options: ResignOptions): Pairs {
	const edited = all.map(([name, value]): [string, string] => {
		if (name === "timestamp")
			return [name, /^[0-9]+$/.test(value) ? `${options.now}` : chinaTime(options.now)];
		if (name === "request_param") return [name, options.edit?.(value) ?? value];
		return [name, value];
	});
	return present({ ...Object.fromEntries(edited), ...options.parameters }).filter(
		([name]) => name !== "sign",
	);
}

/** The pairs of a place in their order, with fresh values; a pair without one is gone. */
function rewrite(pairs: Pairs, fresh: ReadonlyMap<string, string>): Pairs {
	return pairs.flatMap(([name]): Pairs => {
		const value = fresh.get(name);
		return value === undefined ? [] : [[name, value]];
	});
}

function splitPlaces(capture: Capture): { readonly query: Pairs; readonly body: Pairs } {
	const query = capture.target.split("?")[1] ?? "";
	const boundary = boundaryOf(capture);
	const body = capture.body.toString("utf8");
	return {
		query: decodePairs(query),
		body: boundary === undefined ? decodePairs(body) : decodeParts(body, boundary),
	};
}

function decodePairs(text: string): Pairs {
	if (text === "") return [];
	return text.split("&").map((pair): [string, string] => {
		const [name = "", value = ""] = pair.split("=");
		return [name, decodeURIComponent(value.replaceAll("+", " "))];
	});
}

function decodeParts(body: string, boundary: string): Pairs {
	return body
		.split(`--${boundary}\r\n`)
		.slice(1)
		.map((part): [string, string] => {
			const [head = "", ...rest] = part.split("\r\n\r\n");
			const value = rest.join("\r\n\r\n").replace(`\r\n--${boundary}--`, "").replace(/\r\n$/, "");
			return [/name="([^"]*)"/.exec(head)?.[1] ?? "", value];
		});
}

function boundaryOf({ headers }: Capture): string | undefined {
	const contentType = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
	return /^multipart\/form-data;\s*boundary=(.+)$/.exec(contentType)?.[1];
}

/** Encodes as the capture does: `+` or `%20` for a space, multipart or urlencoded, the end as it was cut. */
function join(capture: Capture, query: Pairs, body: Pairs): Buffer {
	const isPlus = !/%20/.test(capture.target + capture.body.toString("latin1"));
	const path = capture.target.split("?")[0] ?? "";
	const target = query.length === 0 ? path : `${path}?${encodePairs(query, isPlus)}`;
	const boundary = boundaryOf(capture);
	const bytes = Buffer.from(boundary === undefined ? encodePairs(body, isPlus) : encodeParts(body, boundary));
	const lines = capture.headers.map(([name, value]) =>
		name.toLowerCase() === "content-length" ? `${name}: ${bytes.length}` : `${name}: ${value}`,
	);
	const head = [`${capture.method} ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n");
	return Buffer.concat([Buffer.from(head, "latin1"), bytes]);
}

function encodePairs(pairs: Pairs, isPlus: boolean): string {
	return pairs.map(([name, value]) => `${encode(name, isPlus)}=${encode(value, isPlus)}`).join("&");
}

/** As `URLEncoder` and PHP's `urlencode` do: what `encodeURIComponent` leaves alone is encoded too. */
function encode(text: string, isPlus: boolean): string {
	if (!isPlus) return encodeURIComponent(text);
	const strict = encodeURIComponent(text).replace(
		/[!'()~*]/g,
		(c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
	);
	return strict.replaceAll("%20", "+");
}

function encodeParts(pairs: Pairs, boundary: string): string {
	const parts = pairs.map(
		([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
	);
	return `${parts.join("")}--${boundary}--`;
}

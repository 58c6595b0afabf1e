// An object store on 127.0.0.1 that behaves like Aliyun OSS where a download can notice: V1 signatures, error XML,
// ETags, ranges. For tests and the demo; path-style, with one bucket that does not stand in its links.

import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ObjectBytes, type ObjectFault, sendBody } from "./object-fault.js";
import { type Credentials, presignLink, sign, stringToSign } from "./presigned-link.js";

const BUCKET = "recordings";

export interface ObjectStoreOptions {
	/** What to serve, by name without a leading slash. */
	readonly objects?: Readonly<Record<string, Uint8Array | ObjectBytes>>;
	/** Faults of the first GETs of an object, in order; later GETs are answered well. */
	readonly faults?: Readonly<Record<string, readonly ObjectFault[]>>;
	/** By which links expire; UTC milliseconds. Default: the system's clock. */
	readonly now?: () => number;
	/** TCP port; default 0: a free one. */
	readonly port?: number;
}

export interface ObjectStore {
	/** `http://127.0.0.1:port`; allow `127.0.0.1` and the private network to download from it. */
	readonly origin: string;
	/** Adds or replaces an object. */
	put(name: string, object: Uint8Array | ObjectBytes): void;
	remove(name: string): void;
	/** Adds faults for the next GETs of an object that pass the signature check. */
	fault(name: string, ...faults: readonly ObjectFault[]): void;
	/** A presigned GET link. *Units*: UTC milliseconds; V1 links expire at whole seconds. */
	presign(name: string, expiresAtMs: number): string;
	/** How many requests came for one object, or for all, whatever they were answered. */
	requests(name?: string): number;
	/** Breaks off what is under way. Idempotent. */
	close(): Promise<void>;
}

interface Held {
	readonly bytes: ObjectBytes;
	readonly etag: string;
}

interface State {
	readonly objects: Map<string, Held>;
	readonly faults: Map<string, ObjectFault[]>;
	readonly requests: Map<string, number>;
	readonly credentials: Credentials;
	readonly now: () => number;
}

/** Starts an object store. Its credentials are made up at every start, so that a leaked link is found and worth nothing. */
export async function startObjectStore(options: ObjectStoreOptions = {}): Promise<ObjectStore> {
	const state: State = {
		objects: new Map(Object.entries(options.objects ?? {}).map(([name, object]) => [name, hold(object)])),
		faults: new Map(Object.entries(options.faults ?? {}).map(([name, faults]) => [name, [...faults]])),
		requests: new Map(),
		credentials: {
			accessKeyId: `LTAI5t${randomBytes(9).toString("hex")}`,
			accessKeySecret: randomBytes(15).toString("hex"),
		},
		now: options.now ?? Date.now,
	};
	const server = createServer((request, response) => {
		response.on("error", () => undefined);
		answer(state, request, response).catch(() => response.destroy());
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(options.port ?? 0, "127.0.0.1", resolve);
	});
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {
		origin,
		put: (name, object) => void state.objects.set(name, hold(object)),
		remove: (name) => void state.objects.delete(name),
		fault: (name, ...faults) => void state.faults.set(name, [...(state.faults.get(name) ?? []), ...faults]),
		presign: (objectName, expiresAtMs) =>
			presignLink(origin, { bucket: BUCKET, objectName, expiresAtMs }, state.credentials),
		requests: (name) =>
			name === undefined
				? [...state.requests.values()].reduce((sum, count) => sum + count, 0)
				: (state.requests.get(name) ?? 0),
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const url = new URL(request.url ?? "/", "http://127.0.0.1");
	const name = decodeURIComponent(url.pathname.slice(1));
	state.requests.set(name, (state.requests.get(name) ?? 0) + 1);
	response.setHeader("server", "AliyunOSS");
	response.setHeader("x-oss-request-id", randomBytes(12).toString("hex").toUpperCase());
	const refused = checkLink(state, request, url, name);
	if (refused !== undefined) return sendError(response, refused);
	const fault = state.faults.get(name)?.shift();
	if (fault?._tag === "Status") {
		if (fault.retryAfter !== undefined) response.setHeader("retry-after", fault.retryAfter);
		const code = fault.code ?? "ServiceUnavailable";
		return sendError(response, { status: fault.status, code, message: "Please try again." });
	}
	if (fault?._tag === "Redirect") {
		response.writeHead(fault.status ?? 302, { location: fault.location }).end();
		return;
	}
	const held = state.objects.get(name);
	if (held === undefined) {
		const message = "The specified key does not exist.";
		return sendError(response, { status: 404, code: "NoSuchKey", message, details: { Key: name } });
	}
	await sendObject(request, response, held, fault);
}

interface OssError {
	readonly status: number;
	readonly code: string;
	readonly message: string;
	readonly details?: Readonly<Record<string, string>>;
}

/** As OSS: expiry is looked at before the signature, and a wrong signature is answered with what should be signed. */
function checkLink(state: State, request: IncomingMessage, url: URL, name: string): OssError | undefined {
	const expires = url.searchParams.get("Expires") ?? "";
	const given = url.searchParams.get("Signature") ?? "";
	if (expires === "" || given === "") {
		const message = "You have no right to access this object because of bucket acl.";
		return { status: 403, code: "AccessDenied", message, details: { EC: "0003-00000001" } };
	}
	if (Number(expires) * 1000 < state.now()) {
		const details = { Expires: new Date(Number(expires) * 1000).toISOString(), EC: "0002-00000069" };
		return { status: 403, code: "AccessDenied", message: "Request has expired.", details };
	}
	const { method: verb = "", headers } = request;
	const text = stringToSign({ verb, headers, expires, bucket: BUCKET, objectName: name });
	if (given === sign(text, state.credentials)) return undefined;
	const message = "The request signature we calculated does not match the signature you provided.";
	const details = {
		OSSAccessKeyId: state.credentials.accessKeyId,
		SignatureProvided: given,
		StringToSign: text,
	};
	return { status: 403, code: "SignatureDoesNotMatch", message, details };
}

function sendError(response: ServerResponse, { status, code, message, details = {} }: OssError): void {
	const members = Object.entries({ Code: code, Message: message, ...details, HostId: "127.0.0.1" });
	const lines = members.map(([name, value]) => `  <${name}>${escapeXml(value)}</${name}>`);
	const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n${lines.join("\n")}\n</Error>\n`;
	response.writeHead(status, { "content-type": "application/xml", "content-length": Buffer.byteLength(xml) });
	response.end(xml);
}

async function sendObject(
	request: IncomingMessage,
	response: ServerResponse,
	{ bytes, etag }: Held,
	fault: ObjectFault | undefined,
): Promise<void> {
	const asked = readRange(request.headers.range, bytes.length);
	const range = asked ?? { start: 0, end: bytes.length };
	const contentRange = `bytes ${range.start}-${range.end - 1}/${bytes.length}`;
	const length = fault?._tag === "Shorten" ? fault.toBytes : range.end - range.start;
	response.writeHead(asked === undefined ? 200 : 206, {
		"content-type": "video/mp4",
		"accept-ranges": "bytes",
		etag,
		...(asked === undefined ? {} : { "content-range": contentRange }),
		...(fault?._tag === "NoLength" ? {} : { "content-length": length }),
		...(fault?._tag === "Headers" ? fault.headers : {}),
	});
	await sendBody(response, bytes, range, fault);
}

/** OSS answers single ranges and ignores what it cannot read. */
function readRange(header: string | undefined, length: number): { start: number; end: number } | undefined {
	const parts = /^bytes=(\d+)-(\d*)$/.exec(header ?? "");
	if (parts === null) return undefined;
	const start = Number(parts[1]);
	const end = parts[2] === "" ? length : Math.min(Number(parts[2]) + 1, length);
	return start < end ? { start, end } : undefined;
}

/** ETag as OSS: the upper-case MD5 of a single-part object, in quotes. */
function hold(object: Uint8Array | ObjectBytes): Held {
	const bytes = object instanceof Uint8Array ? wholeOf(object) : object;
	const md5 = createHash("md5");
	const step = 1024 * 1024;
	for (let at = 0; at < bytes.length; at += step)
		md5.update(bytes.read(at, Math.min(at + step, bytes.length)));
	return { bytes, etag: `"${md5.digest("hex").toUpperCase()}"` };
}

function wholeOf(object: Uint8Array): ObjectBytes {
	return { length: object.length, read: (start, end) => object.subarray(start, end) };
}

function escapeXml(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// For the test of the archiver's conformance only: an origin on 127.0.0.1 that answers as an HTTP server may, and, when
// it is asked to, as none should.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ServedObject, StrayLink } from "@reelkeep/core/conformance";
import { freePort } from "@reelkeep/harness/free-port";

const CHUNK_BYTES = 64 * 1024;

export interface Conditions {
	readonly knowsIfMatch: boolean;
}

export interface VideoOrigin {
	/** Serves an object under `name`, in the place of what was there; the link has a signature of its own. */
	serve(name: string, object: ServedObject): string;
	strayLink(kind: StrayLink): string;
	/** Requests that came and have neither been answered to the end nor closed. */
	underWay(): number;
	/** Breaks off what is under way. */
	close(): Promise<void>;
}

/** `knowsIfMatch`: else a condition is heeded only where a range is asked for with it, in `If-Range`. */
export async function startVideoOrigin({ knowsIfMatch }: Conditions): Promise<VideoOrigin> {
	const objects = new Map<string, ServedObject>();
	let underWay = 0;
	const server = createServer((request, response) => {
		underWay += 1;
		response.on("close", () => {
			underWay -= 1;
		});
		// As if it were not there.
		if (!knowsIfMatch) delete request.headers["if-match"];
		answer(request, response, objects).catch(() => response.destroy());
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const nobody = `http://127.0.0.1:${await freePort()}`;
	const sign = (url: string): string =>
		`${url}?Expires=4102444800&Signature=${randomBytes(15).toString("base64url")}`;
	return {
		serve(name, object) {
			objects.set(name, object);
			return sign(`${origin}/${name}`);
		},
		strayLink(kind) {
			if (kind === "unreachable") return sign(`${nobody}/video.mp4`);
			return sign(kind === "forbidden" ? "http://169.254.169.254/video.mp4" : `${origin}/${kind}`);
		},
		underWay: () => underWay,
		async close() {
			const closed = once(server, "close");
			server.close();
			server.closeAllConnections();
			await closed;
		},
	};
}

async function answer(
	request: IncomingMessage,
	response: ServerResponse,
	objects: ReadonlyMap<string, ServedObject>,
): Promise<void> {
	const url = new URL(request.url ?? "/", "http://127.0.0.1");
	const name = url.pathname.slice(1);
	if (name === "expired") return sendError(response, 403, "AccessDenied", "Request has expired.");
	// As OSS, which tells the sender what it was sent.
	if (name === "refused") return sendError(response, 403, "SignatureDoesNotMatch", `${url.searchParams}`);
	const object = objects.get(name);
	if (object === undefined) return sendError(response, 404, "NoSuchKey", "The specified key does not exist.");
	if (object.holdsBack) return;
	if (object.busyForMs !== undefined) {
		response.setHeader("retry-after", object.busyForMs / 1_000);
		return sendError(response, 503, "ServiceUnavailable", "Please try again.");
	}
	await sendObject(request, response, object);
}

function sendError(response: ServerResponse, status: number, code: string, message: string): void {
	response.writeHead(status, { "content-type": "application/xml" });
	response.end(`<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>\n`);
}

async function sendObject(
	{ headers }: IncomingMessage,
	response: ServerResponse,
	object: ServedObject,
): Promise<void> {
	const { bytes } = object;
	const etag = object.statesNoValidator ? undefined : `"${md5Of(bytes).toString("hex")}"`;
	const range = readRange(headers, object, etag);
	if (range === "changed") return void response.writeHead(412).end();
	if (range === "behind") {
		return void response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
	}
	const body = bytes.subarray(range ?? 0);
	const contentMd5 = md5Of(object.statesPartChecksum ? body : bytes).toString("base64");
	response.writeHead(range === undefined ? 200 : 206, {
		"content-type": "video/mp4",
		...(etag === undefined ? {} : { etag }),
		...(range === undefined ? {} : { "content-range": `bytes ${range}-${bytes.length - 1}/${bytes.length}` }),
		...(object.statesNoLength ? {} : { "content-length": body.length }),
		...(object.statesNoLength ? {} : { "content-md5": contentMd5 }),
	});
	await sendBody(response, body, object);
}

/** Where the part starts that is to be sent; `undefined`: all is. `behind`: there is no such part. */
function readRange(
	{ range, "if-match": match, "if-range": ifRange }: IncomingHttpHeaders,
	{ bytes, ignoresRange, ignoresCondition, partsStartAt }: ServedObject,
	etag: string | undefined,
): number | "changed" | "behind" | undefined {
	if (ignoresRange) return undefined;
	if (!ignoresCondition && match !== undefined && match !== etag) return "changed";
	const start = /^bytes=(\d+)-$/.exec(range ?? "")?.[1];
	if (start === undefined) return undefined;
	if (!ignoresCondition && ifRange !== undefined && ifRange !== etag) return undefined;
	const from = partsStartAt ?? Number(start);
	return from < bytes.length ? from : "behind";
}

async function sendBody(
	response: ServerResponse,
	body: Uint8Array,
	{ breaksOffAfter = Infinity, silentAfter = Infinity }: ServedObject,
): Promise<void> {
	const end = Math.min(body.length, breaksOffAfter, silentAfter);
	response.flushHeaders();
	await pipeline(Readable.from(chunksOf(body.subarray(0, end))), response, { end: false });
	if (end === silentAfter) return;
	if (end !== breaksOffAfter || end === body.length) {
		response.end();
		return;
	}
	// What was written leaves before the connection breaks.
	await new Promise((resolve) => response.write("", resolve));
	response.destroy();
}

function* chunksOf(body: Uint8Array): Generator<Uint8Array> {
	for (let at = 0; at < body.length; at += CHUNK_BYTES) yield body.subarray(at, at + CHUNK_BYTES);
}

function md5Of(bytes: Uint8Array): Buffer {
	return createHash("md5").update(bytes).digest();
}

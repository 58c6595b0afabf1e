// Calls as they come, before @grpc/grpc-js sees them: it splits and copies whatever headers there are, writes those that
// it does not like to standard error, values and all, inflates whatever came at once, and leaves streams half open.

import { EventEmitter } from "node:events";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { status as Code, type Server } from "@grpc/grpc-js";
import { peerOf } from "./connections.js";

/** Of a call's headers together, names and values. A callback's call has 500 bytes. */
const MAX_HEADER_CHARACTERS = 16 * 1024;
/** gRPC's Header-Name, and HTTP/2's own. */
const NAME = /^:?[0-9a-z_.-]+$/;
/** gRPC's ASCII-Value. */
const TEXT = /^[\x20-\x7e]*$/;
const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;
/** In place of what no timer can wait for. */
const LONGEST_TIMEOUT = "86400S";
const SECONDS: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1 };

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...others: unknown[]) => void;

/** Is told of each call that may pass, of the connection that `getPeer()` names. */
export interface StreamWatcher {
	begin(peer: string): void;
	end(peer: string): void;
	/** A call's messages are compressed; it was refused. */
	compressed(): void;
}

/**
 * Puts the guard before the server's own listeners. `server` has a connection injector already.
 * *Errors*: throws an `Error` when this version of @grpc/grpc-js keeps its HTTP/2 server elsewhere (ADR 0017).
 */
export function guardStreams(server: Server, watcher: StreamWatcher): void {
	const http2Servers = http2ServersOf(server);
	if (http2Servers.length === 0) {
		throw new Error("this version of @grpc/grpc-js is not known: its streams cannot be guarded");
	}
	for (const http2Server of http2Servers) {
		const listeners = http2Server.listeners("stream") as StreamListener[];
		const guarded: StreamListener = (stream, headers, ...others) => {
			const code = refusalOf(headers);
			if (code !== undefined) return reset(stream, code);
			watch(stream, watcher);
			if (isCompressed(headers)) {
				watcher.compressed();
				return refuseCompression(stream);
			}
			dropBinary(headers);
			shortenTimeout(headers);
			closeBehindAnswer(stream);
			for (const listener of listeners) listener.call(http2Server, stream, headers, ...others);
		};
		http2Server.removeAllListeners("stream").on("stream", guarded);
	}
}

function watch(stream: ServerHttp2Stream, watcher: StreamWatcher): void {
	const peer = peerOf(stream.session?.socket ?? {});
	watcher.begin(peer);
	stream.once("close", () => watcher.end(peer));
}

/** Private, because there is no public way to it; `package.json` holds @grpc/grpc-js to versions that were tried. */
function http2ServersOf(server: Server): readonly EventEmitter[] {
	// biome-ignore lint/complexity/useLiteralKeys: as a property it would be private to TypeScript
	const known: unknown = server["http2Servers"];
	if (!(known instanceof Map)) return [];
	return [...known.keys()].filter((one) => one instanceof EventEmitter && one.listenerCount("stream") > 0);
}

/** An error code of HTTP/2; `undefined` for headers that may pass. Pure. */
export function refusalOf(headers: IncomingHttpHeaders): number | undefined {
	let characters = 0;
	for (const [name, value = ""] of Object.entries(headers)) {
		if (!NAME.test(name)) return constants.NGHTTP2_PROTOCOL_ERROR;
		for (const text of typeof value === "string" ? [value] : value) {
			characters += name.length + text.length;
			if (!TEXT.test(text)) return constants.NGHTTP2_PROTOCOL_ERROR;
		}
	}
	return characters > MAX_HEADER_CHARACTERS ? constants.NGHTTP2_ENHANCE_YOUR_CALM : undefined;
}

/** @grpc/grpc-js counts milliseconds in 32 bits: of 30 days it makes less than none. */
export function shortenTimeout(headers: IncomingHttpHeaders): void {
	const [, digits = "", unit = ""] = TIMEOUT.exec(String(headers["grpc-timeout"] ?? "")) ?? [];
	if (Number(digits) * (SECONDS[unit] ?? 0) > 86_400) headers["grpc-timeout"] = LONGEST_TIMEOUT;
}

/**
 * A report has a few hundred bytes: nothing is gained by compressing it. What came in one piece is inflated in one piece,
 * a few KiB to many MiB, before anybody is asked who calls.
 */
function isCompressed(headers: IncomingHttpHeaders): boolean {
	const encoding = headers["grpc-encoding"];
	return encoding !== undefined && encoding !== "identity";
}

function refuseCompression(stream: ServerHttp2Stream): void {
	stream.on("error", () => {});
	closeBehindAnswer(stream);
	const trailers = {
		":status": 200,
		"content-type": "application/grpc+proto",
		"grpc-status": Code.UNIMPLEMENTED,
		"grpc-message": "messages must not be compressed",
		"grpc-accept-encoding": "identity",
	};
	stream.respond(trailers, { endStream: true });
}

/** How often it is looked whether an answer has left a connection whose client reads slowly. */
const FLUSH_INTERVAL_MS = 10;

/** Who was answered and goes on sending is told that nobody listens; else the stream would count as a call for ever. */
function closeBehindAnswer(stream: ServerHttp2Stream): void {
	// What has not left is dropped when the stream is closed.
	const close = (): void => {
		if (stream.readableEnded || stream.closed) return;
		const isWaiting = (stream.session?.state.outboundQueueSize ?? 0) > 0;
		if (isWaiting) setTimeout(close, FLUSH_INTERVAL_MS).unref();
		else stream.close(constants.NGHTTP2_NO_ERROR);
	};
	// Node hands an answer, or its trailers, on up to two ticks after it was given them.
	const closeSoon = (): void => void setImmediate(() => setImmediate(close));
	stream.once("finish", () => {
		if (stream.sentHeaders?.["grpc-status"] !== undefined) closeSoon();
	});
	stream.once("wantTrailers", closeSoon);
}

/** Nothing here reads them, and grpc-js makes a Buffer for each of their commas. */
function dropBinary(headers: IncomingHttpHeaders): void {
	for (const name of Object.keys(headers)) if (name.endsWith("-bin")) delete headers[name];
}

function reset(stream: ServerHttp2Stream, code: number): void {
	stream.on("error", () => {});
	stream.close(code);
}

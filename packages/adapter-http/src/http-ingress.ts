// An `Ingress` that listens itself: the node:http server around the handler, its time-outs, and an orderly stop.

import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerOptions,
	type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { guardLogger } from "@reelkeep/core";
import type { Health, Ingress, IngressStarted, Receive } from "@reelkeep/core/ports";
import { answerClientError, answerRaw } from "./client-error.js";
import { type Connections, trackConnections } from "./connections.js";
import { GATEWAY_STYLE, SPI_STYLE } from "./envelope.js";
import { renderReply } from "./exchange.js";
import { createHealthRoutes, HEALTH_PATHS } from "./health-routes.js";
import { resolveLimits } from "./limits.js";
import { createNodeHandler, type NodeHandlerOptions } from "./node-handler.js";
import { createConnectionLog } from "./report.js";
import { isSpi, resolvePaths } from "./routes.js";
import { failed, type TopAnswer } from "./status.js";

export interface HttpIngressOptions extends Omit<NodeHandlerOptions, "receive"> {
	/** Default `127.0.0.1`: nothing but this machine, until told otherwise. */
	readonly host?: string;
	/** Default 0: the system picks a free one. */
	readonly port?: number;
	/** What `/readyz` asks. Without it the server is ready while it listens. */
	readonly health?: Health;
	/**
	 * Open at once; one more is closed unheard, and the log is told. Default 2048. Keep it under the process's limit of
	 * open files, past which the system closes connections without a word.
	 */
	readonly maxConnections?: number;
	/** From the first byte of a request to the end of its headers. Default 10 s. */
	readonly headersTimeMs?: number;
	/**
	 * How long a connection may be idle between requests. Default 7 s, longer than the 5 s after which a JDK drops its own
	 * side. Set it above the idle time of a load balancer in front, which must be the one that closes.
	 */
	readonly keepAliveMs?: number;
	/** How long `stop` waits for requests in flight before it cuts their connections. Default 10 s. */
	readonly stopTimeMs?: number;
}

const DEFAULT_STOP_TIME_MS = 10_000;

/** Four times what may be in flight, so that idle ones do not matter; with headers of full length they hold 64 MiB. */
const DEFAULT_MAX_CONNECTIONS = 2048;
/** SDKs send request line and headers in one packet. */
const DEFAULT_HEADERS_TIME_MS = 10_000;
const DEFAULT_KEEP_ALIVE_MS = 7_000;
/** Request line and headers: the longest query that is read, and as much again. */
const MAX_HEADER_BYTES = 32 * 1024;
/** How often node looks for connections past their time. */
const CHECKING_INTERVAL_MS = 1_000;
/** Above what the handler itself grants, so that its answer, which knows the format, comes first. */
const REQUEST_TIME_MARGIN_MS = 5_000;

/** `receive` answers in 10 s, whatever happens; half as much again. */
const ANSWER_TIME_MS = 15_000;

const ALWAYS_READY: Health = { check: async () => [] };

/** *Promise*: `stop` answers what is in flight before it resolves, and takes at most `stopTimeMs`. */
export function createHttpIngress(given: HttpIngressOptions): Ingress {
	checkPaths(given);
	// In the server's own listeners nothing would catch what a logger throws.
	const options = { ...given, ...(given.logger && { logger: guardLogger(given.logger) }) };
	let running: Running | undefined;
	let stopped: Promise<void> | undefined;
	return {
		async start(receive) {
			if (running !== undefined) throw new Error("this HTTP ingress was started before");
			running = createRunning(options, receive);
			return { address: await listen(running.server, options) } satisfies IngressStarted;
		},
		stop() {
			stopped ??= running === undefined ? Promise.resolve() : stop(running, options.stopTimeMs);
			return stopped;
		},
	};
}

/** Throws a `TypeError` for a path that is none, or that this server answers itself. */
export function checkPaths(options: Pick<HttpIngressOptions, "direction" | "path" | "batchPath">): void {
	for (const path of Object.values(resolvePaths(options))) {
		if (HEALTH_PATHS.includes(path)) {
			throw new TypeError(`${path} tells of this server's health; callbacks need a path of their own`);
		}
	}
}

interface Running {
	readonly server: Server;
	readonly connections: Connections;
}

function createRunning(options: HttpIngressOptions, receive: Receive): Running {
	const serve = createNodeHandler({ ...options, receive });
	const route = createRoute(
		[serve, createHealthRoutes(options.health ?? ALWAYS_READY, options.clock)],
		options,
	);
	const server = createServer(serverOptions(options));
	// A sender that closes its half after the request still reads the answer; the types do not know this property.
	Object.assign(server, { httpAllowHalfOpen: true });
	const connections = trackConnections(server);
	const take = (request: IncomingMessage, response: ServerResponse): void => {
		if (connections.begin({ request, response })) route(request, response);
	};
	// An expectation that nobody has is not worth a 417: the body comes all the same.
	server.on("request", take).on("checkExpectation", take);
	answerNoRequests(server, connections, options);
	boundConnections(server, options);
	server.setTimeout(deafTimeMs(options));
	return { server, connections };
}

/**
 * What node hands over without a way to answer it. There is no listener for `upgrade`: without one, node serves such a
 * request like any other, and the JDK's HttpClient offers HTTP/2 that way on the first request of a connection.
 */
function answerNoRequests(server: Server, connections: Connections, options: HttpIngressOptions): void {
	const style = isSpi(options.direction) ? SPI_STYLE : GATEWAY_STYLE;
	const finish = (socket: Duplex, answer: TopAnswer): void =>
		connections.finish(socket, () => {
			answerRaw(socket, renderReply({ answer, style }, options.ids.next(), options));
		});
	server.on("clientError", (error, socket) => finish(socket, answerClientError(error)));
	server.on("connect", (_request, socket) =>
		finish(socket, failed("verbNotAllowed", "only POST and GET are served")),
	);
}

function boundConnections(server: Server, options: HttpIngressOptions): void {
	const { maxConnections = DEFAULT_MAX_CONNECTIONS } = options;
	if (!Number.isSafeInteger(maxConnections) || maxConnections < 1) {
		throw new RangeError("maxConnections must be a positive whole number");
	}
	const log = createConnectionLog(options);
	server.maxConnections = maxConnections;
	server.on("drop", () => log("too many are open", { maxConnections }));
	// Before that, the failure is `start`'s to tell.
	server.once("listening", () =>
		server.on("error", (error) => log("accepting failed", { code: codeOf(error) })),
	);
}

/**
 * How long nothing may move on a connection, in either direction, before it is destroyed: longer than any answer takes.
 * It ends senders that never read; what is idle between requests ends sooner.
 */
function deafTimeMs({ headersTimeMs = DEFAULT_HEADERS_TIME_MS, limits }: HttpIngressOptions): number {
	return headersTimeMs + resolveLimits(limits).bodyTimeMs + ANSWER_TIME_MS;
}

/** Node answers nothing of its own when a time is over: `clientError` does. */
function serverOptions({
	headersTimeMs = DEFAULT_HEADERS_TIME_MS,
	keepAliveMs = DEFAULT_KEEP_ALIVE_MS,
	limits,
}: HttpIngressOptions): ServerOptions {
	const { bodyTimeMs } = resolveLimits(limits);
	return {
		headersTimeout: headersTimeMs,
		requestTimeout: headersTimeMs + bodyTimeMs + REQUEST_TIME_MARGIN_MS,
		keepAliveTimeout: keepAliveMs,
		maxHeaderSize: MAX_HEADER_BYTES,
		// TOP knows no Host, and node's own answer to its absence is none of TOP's.
		requireHostHeader: false,
		connectionsCheckingInterval: Math.min(CHECKING_INTERVAL_MS, headersTimeMs),
	};
}

/** False: the request is another's. */
type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A sender with a wrong URL hears 404, and its operator is told once; a scanner must not fill the log. */
function createRoute(handlers: readonly Handler[], options: HttpIngressOptions) {
	const { logger } = options;
	const { path } = resolvePaths(options);
	let isTold = false;
	return (request: IncomingMessage, response: ServerResponse): void => {
		if (handlers.some((handler) => handler(request, response))) return;
		if (request.method === "POST" && !isTold) {
			isTold = true;
			logger?.warn({ path }, "a request was posted to another path; callbacks come to this one");
		}
		notFound(request, response);
	};
}

function notFound(request: IncomingMessage, response: ServerResponse): void {
	request.resume();
	response.writeHead(404, { "Content-Length": 0, "Cache-Control": "no-store", Connection: "close" }).end();
}

function listen(server: Server, { host = "127.0.0.1", port = 0 }: HttpIngressOptions): Promise<string> {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen({ host, port }, () => {
			server.off("error", reject);
			const { address, family, port: bound } = server.address() as AddressInfo;
			resolve(`http://${family === "IPv6" ? `[${address}]` : address}:${bound}`);
		});
	});
}

async function stop(running: Running, stopTimeMs: number = DEFAULT_STOP_TIME_MS): Promise<void> {
	const { server, connections } = running;
	if (!server.listening) return;
	await new Promise<void>((resolve) => {
		const timer = setTimeout(() => connections.cut(), stopTimeMs);
		server.close(() => {
			clearTimeout(timer);
			resolve();
		});
		connections.close();
	});
}

function codeOf(error: Error): string {
	return (error as NodeJS.ErrnoException).code ?? error.name;
}

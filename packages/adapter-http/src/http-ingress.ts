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
import type { Health, Ingress, IngressStarted, Receive } from "@reelkeep/core/ports";
import { answerClientError, type Exchange } from "./client-error.js";
import { createHealthRoutes } from "./health-routes.js";
import { resolveLimits } from "./limits.js";
import { createNodeHandler, type NodeHandler, type NodeHandlerOptions, REST_PATH } from "./node-handler.js";

export interface HttpIngressOptions extends Omit<NodeHandlerOptions, "receive"> {
	/** Default `127.0.0.1`: nothing but this machine, until told otherwise. */
	readonly host?: string;
	/** Default 0: the system picks a free one. */
	readonly port?: number;
	/** What `/readyz` asks. Without it the server is ready while it listens. */
	readonly health?: Health;
	/** From the first byte of a request to the end of its headers. Default 10 s. */
	readonly headersTimeMs?: number;
	/** How long `stop` waits for requests in flight before it cuts their connections. Default 10 s. */
	readonly stopTimeMs?: number;
}

const DEFAULT_STOP_TIME_MS = 10_000;

/** SDKs send request line and headers in one packet. */
const DEFAULT_HEADERS_TIME_MS = 10_000;
/** Idle between requests. Longer than the 5 s after which a JDK drops its own side. */
const KEEP_ALIVE_MS = 7_000;
/** Request line and headers: the longest query that is read, and then some. */
const MAX_HEADER_BYTES = 64 * 1024;
/** How often node looks for connections past their time. */
const CHECKING_INTERVAL_MS = 1_000;
/** Above what the handler itself grants, so that its answer, which knows the format, comes first. */
const REQUEST_TIME_MARGIN_MS = 5_000;

const ALWAYS_READY: Health = { check: async () => [] };

/** *Promise*: `stop` answers what is in flight before it resolves, and takes at most `stopTimeMs`. */
export function createHttpIngress(options: HttpIngressOptions): Ingress {
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

interface Running {
	readonly server: Server;
	/** By connection; one at a time is answered on each. */
	readonly exchanges: Map<Duplex, Exchange>;
	isStopping: boolean;
}

function createRunning(options: HttpIngressOptions, receive: Receive): Running {
	const exchanges = new Map<Duplex, Exchange>();
	const serve = createNodeHandler({ ...options, receive });
	const health = createHealthRoutes(options.health ?? ALWAYS_READY, () => running.isStopping);
	const route = createRoute([serve, health], options);
	const server = createServer(serverOptions(options));
	const running: Running = { server, exchanges, isStopping: false };
	// A sender that closes its half after the request still reads the answer; the types do not know this property.
	Object.assign(server, { httpAllowHalfOpen: true });
	server.on("request", (request, response) => {
		const exchange = { request, response };
		exchanges.set(request.socket, exchange);
		response.on("close", () => {
			if (exchanges.get(request.socket) === exchange) exchanges.delete(request.socket);
		});
		if (running.isStopping) response.setHeader("Connection", "close");
		route(request, response);
	});
	server.on("clientError", (error, socket) =>
		answerClientError(error, socket, exchanges.get(socket), options.ids.next()),
	);
	server.on("error", (error) => options.logger?.error({ code: codeOf(error) }, "the HTTP server failed"));
	return running;
}

/** Node answers nothing of its own when a time is over: `clientError` does. */
function serverOptions({
	headersTimeMs = DEFAULT_HEADERS_TIME_MS,
	limits,
}: HttpIngressOptions): ServerOptions {
	const { bodyTimeMs } = resolveLimits(limits);
	return {
		headersTimeout: headersTimeMs,
		requestTimeout: headersTimeMs + bodyTimeMs + REQUEST_TIME_MARGIN_MS,
		keepAliveTimeout: KEEP_ALIVE_MS,
		maxHeaderSize: MAX_HEADER_BYTES,
		connectionsCheckingInterval: Math.min(CHECKING_INTERVAL_MS, headersTimeMs),
	};
}

/** A sender with a wrong URL hears 404, and its operator is told once; a scanner must not fill the log. */
function createRoute(handlers: readonly NodeHandler[], { path = REST_PATH, logger }: HttpIngressOptions) {
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
	response.writeHead(404, { "Content-Length": 0, Connection: "close" }).end();
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
	const { server, exchanges } = running;
	running.isStopping = true;
	if (!server.listening) return;
	for (const { response } of exchanges.values()) {
		if (!response.headersSent) response.setHeader("Connection", "close");
	}
	await new Promise<void>((resolve) => {
		const timer = setTimeout(() => server.closeAllConnections(), stopTimeMs);
		server.close(() => {
			clearTimeout(timer);
			resolve();
		});
		server.closeIdleConnections();
	});
}

function codeOf(error: Error): string {
	return (error as NodeJS.ErrnoException).code ?? error.name;
}

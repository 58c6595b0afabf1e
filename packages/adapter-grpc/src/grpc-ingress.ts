// An `Ingress` that listens itself: the services on a server of their own, its bounds, and an orderly stop.

import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { createThrottledWarning, guardLogger, observe } from "@reelkeep/core";
import type { Health, Ingress, IngressStarted, Receive } from "@reelkeep/core/ports";
import { checkSubscribers } from "./callers.js";
import { type Connections, createConnections } from "./connections.js";
import { checkExposure, describeExposure } from "./exposure.js";
import { createHealthService, type HealthService } from "./health-service.js";
import { checkWholeNumbers, type GrpcLimits, resolveLimits } from "./limits.js";
import {
	createRecordingService,
	type RecordingService,
	type RecordingServiceOptions,
} from "./recording-service.js";
import { addReflection } from "./reflection.js";
import { createRequestTime, type RequestTime } from "./request-time.js";
import { guardStreams } from "./stream-guard.js";

export interface GrpcIngressOptions extends Omit<RecordingServiceOptions, "receive"> {
	/** Default `127.0.0.1`. Another than a loopback address needs `callers` or `verifier`. */
	readonly host?: string;
	/** Default 0: the system picks a free one. */
	readonly port?: number;
	/** Left out: plain text, for this machine or behind something that ends TLS. */
	readonly tls?: GrpcTls;
	/** What the health service asks. Without it the server serves while it listens. */
	readonly health?: Health;
	/**
	 * Open at once; for one more, the one that has been there longest without a call is closed. When all have calls, the new
	 * one is closed unheard, and the log is told. Default 512.
	 */
	readonly maxConnections?: number;
	/** How long a connection may have no call. Default 5 minutes. */
	readonly connectionIdleMs?: number;
	/** How often the other end is asked for a sign of life. Default 60 s; after 20 s without one the connection is closed. */
	readonly keepaliveMs?: number;
	/** How long `stop` waits for calls in flight before it cuts their connections. Default 10 s. */
	readonly stopTimeMs?: number;
}

/** PEM. */
export interface GrpcTls {
	readonly cert: Buffer;
	readonly key: Buffer;
	/** Whose certificates clients must have. Left out: clients need none. */
	readonly clientCa?: Buffer;
}

const DEFAULT_MAX_CONNECTIONS = 512;
const DEFAULT_CONNECTION_IDLE_MS = 300_000;
const DEFAULT_KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const DEFAULT_STOP_TIME_MS = 10_000;
/** When it stops, so long a request that is on its way may take: longer than streams of reports may, which are told why. */
const REQUEST_GRACE_MS = 2_000;
/** Of a connection: what it may make us hold, besides messages. @grpc/grpc-js sets no bound. *Units*: megabytes. */
const MAX_SESSION_MEMORY = 16;

const ALWAYS_READY: Health = { check: async () => [] };

/**
 * *Promise*: `stop` answers what is in flight before it resolves, and takes at most `stopTimeMs`.
 * *Errors*: throws a `TypeError` or a `RangeError` at once for options that could not work, and for an address that is
 * not loopback when nobody proves who calls or reports.
 */
export function createGrpcIngress(given: GrpcIngressOptions): Ingress {
	checkIngressOptions(given);
	const options = { ...given, ...(given.logger && { logger: guardLogger(given.logger) }) };
	let running: Running | undefined;
	let stopped: Promise<void> | undefined;
	return {
		async start(receive) {
			if (running !== undefined) throw new Error("this gRPC ingress was started before");
			for (const warning of describeExposure(options)) observe(() => options.logger?.warn({}, warning));
			running = createRunning(options, receive);
			const { host = "127.0.0.1", port = 0 } = options;
			return { address: await running.connections.listen(host, port) } satisfies IngressStarted;
		},
		stop() {
			stopped ??= running === undefined ? Promise.resolve() : stop(running, options.stopTimeMs);
			return stopped;
		},
	};
}

/** Throws a `TypeError` or a `RangeError` for what could not work, or would let anybody in. */
export function checkIngressOptions(
	options: Omit<GrpcIngressOptions, "verifier" | "ids" | "clock"> & { readonly verifier?: unknown },
): void {
	checkExposure(options);
	checkTls(options.tls);
	resolveLimits(options.limits);
	checkSubscribers(options);
	const { maxConnections, connectionIdleMs, keepaliveMs, stopTimeMs } = options;
	checkWholeNumbers("", { maxConnections, connectionIdleMs, keepaliveMs, stopTimeMs });
}

/** Throws a `TypeError` for what is no certificate, no key, or not the certificate's key. */
function checkTls(tls: GrpcTls | undefined): void {
	if (tls === undefined) return;
	const { cert, key, clientCa } = tls;
	const attempt = (what: string, use: () => unknown): void => {
		try {
			use();
		} catch (error) {
			const { code = "unreadable" } = error as NodeJS.ErrnoException;
			throw new TypeError(`${what} cannot be used for TLS: ${code}`);
		}
	};
	attempt("the certificate", () => new X509Certificate(cert));
	attempt("the certificate with its key", () => createSecureContext({ cert, key }));
	// As a CA, OpenSSL takes what is none, and then knows nobody.
	if (clientCa !== undefined) attempt("the client CA", () => new X509Certificate(clientCa));
}

interface Running {
	readonly server: Server;
	readonly connections: Connections;
	readonly requests: RequestTime;
	readonly recordings: RecordingService;
	readonly health: HealthService;
}

function createRunning(options: GrpcIngressOptions, receive: Receive): Running {
	const limits = resolveLimits(options.limits);
	const requests = createRequestTime(limits, (peer) => connections.budgetOf(peer)?.message());
	const server = new Server({ ...serverOptions(options, limits), interceptors: [requests.interceptor] });
	const { maxConnections = DEFAULT_MAX_CONNECTIONS } = options;
	const injector = server.createConnectionInjector(credentialsOf(options.tls));
	const log = createThrottledWarning(options, "connections are turned away");
	const warnOfCompression = createThrottledWarning(options, "calls are refused");
	guardStreams(server, {
		begin: (peer) => connections.budgetOf(peer)?.begin(),
		end: (peer) => connections.budgetOf(peer)?.end(performance.now()),
		compressed: () => warnOfCompression("their messages are compressed", {}),
	});
	const { maxMessageBytes } = limits;
	const connections = createConnections(injector, { maxConnections, maxMessageBytes, log });
	const recordings = createRecordingService({ ...options, receive });
	const health = createHealthService({ health: options.health ?? ALWAYS_READY, clock: options.clock });
	recordings.addTo(server);
	health.addTo(server);
	addReflection(server);
	return { server, connections, requests, recordings, health };
}

function serverOptions(
	{ connectionIdleMs = DEFAULT_CONNECTION_IDLE_MS, keepaliveMs = DEFAULT_KEEPALIVE_MS }: GrpcIngressOptions,
	{ maxMessageBytes, maxStreamsPerConnection }: GrpcLimits,
) {
	return {
		"grpc.max_receive_message_length": maxMessageBytes,
		"grpc.max_concurrent_streams": maxStreamsPerConnection,
		"grpc.max_connection_idle_ms": connectionIdleMs,
		"grpc.keepalive_time_ms": keepaliveMs,
		"grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
		"grpc-node.max_session_memory": MAX_SESSION_MEMORY,
		"grpc.enable_channelz": 0,
	};
}

function credentialsOf(tls: GrpcTls | undefined): ServerCredentials {
	if (tls === undefined) return ServerCredentials.createInsecure();
	const { cert, key, clientCa } = tls;
	return ServerCredentials.createSsl(
		clientCa ?? null,
		[{ cert_chain: cert, private_key: key }],
		clientCa !== undefined,
	);
}

async function stop(running: Running, stopTimeMs = DEFAULT_STOP_TIME_MS): Promise<void> {
	running.health.stop();
	// What a stop cannot wait for is completed in the background; its sender sends it again.
	void running.recordings.stop();
	const timer = setTimeout(running.requests.giveUpAll, Math.min(REQUEST_GRACE_MS, stopTimeMs));
	await running.connections.stop(stopTimeMs);
	clearTimeout(timer);
	running.server.forceShutdown();
}

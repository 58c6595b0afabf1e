// For the tests of promise 9 only: a name server, something inside that must not be reached, and a guard that sees each
// connection before it is made and lets none leave this machine.

import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, isIP, type LookupFunction, Socket } from "node:net";
import type { OpenVideoResult } from "@reelkeep/core/ports";
import { type NameServer, startNameServer } from "@reelkeep/harness/name-server";
import { transcribe } from "@reelkeep/harness/transcript";
import { afterEach, beforeEach, expect } from "vitest";
import { createHttpVideoSource, type HttpVideoSourceOptions } from "./http-video-source.js";

export let names: NameServer;
/** Something inside: whatever asks it gets a secret. */
export let inside: HttpServer;
/** `address:port` of all connections that the product began. */
export let connections: string[];
/** `address:port` of outside, with the port of a server of the test that stands for it. Nothing else of outside is reached. */
export let outside: Map<string, number>;

export interface HttpServer {
	readonly port: number;
	/** How many connections came. */
	connections(): number;
}

let stopGuard: () => void;
const closers: (() => void)[] = [];

beforeEach(async () => {
	connections = [];
	outside = new Map();
	stopGuard = guardSockets();
	names = await startNameServer();
	inside = await serve(() => ({ status: 200, body: "a secret" }));
});
afterEach(async () => {
	stopGuard();
	for (const close of closers.splice(0)) close();
	await names.close();
});

export type Answer = (target: string) => {
	readonly status: number;
	readonly headers?: Record<string, string>;
	readonly body?: string;
};

/** A server on loopback until the test ends. `answer` says what it answers, by the request's target. */
export async function serve(
	answer: Answer,
	{ host = "127.0.0.1", port = 0, isTls = false } = {},
): Promise<HttpServer> {
	const listener: RequestListener = (request, response) => {
		const { status, headers = {}, body = "" } = answer(request.url ?? "/");
		response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
	};
	const server = isTls
		? createTlsServer({ cert: pem("origin"), key: pem("origin-key") }, listener)
		: createServer(listener);
	let count = 0;
	server.on("connection", () => {
		count += 1;
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, host, resolve);
	});
	closers.push(() => {
		server.close();
		server.closeAllConnections();
	});
	return { port: (server.address() as AddressInfo).port, connections: () => count };
}

function pem(name: string): Buffer {
	return readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
}

/** Opens by the real source, which resolves by the test's name server. The port of `inside` is no obstacle. */
export async function open(link: string, options: HttpVideoSourceOptions = {}): Promise<OpenVideoResult> {
	const source = createHttpVideoSource({
		resolve: names.resolve,
		allowPorts: [80, 443, inside.port],
		connectTimeoutMs: 2_000,
		...options,
	});
	const result = await source.open(link, { signal: new AbortController().signal });
	if (result._tag === "Unavailable") transcribe("error", result.message);
	return result;
}

/** Refused by our own policy, and nothing was connected to. */
export async function expectNoWay(link: string, options: HttpVideoSourceOptions = {}): Promise<string> {
	const result = await open(link, options);
	expect(result).toMatchObject({ _tag: "Unavailable", reason: "not-allowed" });
	expect(connections).toEqual([]);
	expect(inside.connections()).toBe(0);
	return result._tag === "Unavailable" ? result.message : "";
}

interface ConnectOptions {
	readonly host?: string;
	readonly port?: number;
	readonly lookup?: LookupFunction;
}

/** Stands in front of every TCP connection, with TLS or without; where it leads, its own `lookup` says. */
function guardSockets(): () => void {
	const connect = Reflect.get(Socket.prototype, "connect");
	function guarded(this: Socket, ...args: readonly unknown[]): Socket {
		// `net.connect` hands over what it has normalized: an array of options and callback.
		const [options, callback] = (Array.isArray(args[0]) ? args[0] : args) as [ConnectOptions, unknown];
		const targets = targetsOf(options).map((address) => `${address}:${options.port}`);
		connections.push(...targets);
		if (targets.every((target) => target.startsWith("127."))) return Reflect.apply(connect, this, args);
		const port = outside.get(targets[0] ?? "");
		if (port !== undefined)
			return Reflect.apply(connect, this, [{ host: "127.0.0.1", port }, callback ?? undefined]);
		// Only now does anybody listen.
		setImmediate(() => this.destroy(new Error("held back by the test")));
		return this;
	}
	Reflect.set(Socket.prototype, "connect", guarded);
	return () => void Reflect.set(Socket.prototype, "connect", connect);
}

function targetsOf({ host = "localhost", lookup }: ConnectOptions): readonly string[] {
	if (isIP(host) !== 0 || lookup === undefined) return [host];
	const found: string[] = [];
	lookup(host, { all: true }, (_error, addresses) => {
		if (Array.isArray(addresses)) found.push(...addresses.map(({ address }) => address));
	});
	return found;
}

// What this package's tests share: a receive that records, a clock that stands, a real server around the handler.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Clock, Ids, Ingress, Receive, ReceiveOutcome, Report } from "@reelkeep/core/ports";
import {
	CAPTURE_APP_KEY,
	CAPTURE_SECRET,
	TEST_APP_KEY,
	TEST_SECRET,
	transcribe,
	transcribingLogger,
} from "@reelkeep/harness/transcript";
import { signedRequest } from "@reelkeep/testing";
import type { TopHandlerOptions } from "../src/exchange.js";
import { createHttpIngress, type HttpIngressOptions } from "../src/http-ingress.js";
import { createNodeHandler, type NodeHandlerOptions } from "../src/node-handler.js";
import { createTopVerifier } from "../src/verifier.js";

/** 2026-11-23 12:00:00 in GMT+8. */
export const NOW_MS: number = Date.UTC(2026, 10, 23, 4, 0, 0);

export const APPS = { [CAPTURE_APP_KEY]: CAPTURE_SECRET, [TEST_APP_KEY]: TEST_SECRET } as const;

export interface RecordingReceive {
	readonly receive: Receive;
	/** Everything that would have been stored. */
	readonly reports: Report[];
}

export function recordingReceive(
	answer: ReceiveOutcome | (() => Promise<ReceiveOutcome>) = { _tag: "Reported", stream: "recording-1" },
): RecordingReceive {
	const reports: Report[] = [];
	return {
		reports,
		receive: async (report) => {
			reports.push(report);
			return typeof answer === "function" ? await answer() : answer;
		},
	};
}

/** A `receive` that answers nobody before `release`. */
export function gatedReceive(): RecordingReceive & { release(): void } {
	let release = (): void => {};
	const gate = new Promise<void>((resolve) => {
		release = resolve;
	});
	const recorded = recordingReceive(async () => {
		await gate;
		return { _tag: "Reported", stream: "s" };
	});
	return { ...recorded, release: () => release() };
}

/** A request of the test app, signed now. */
export function signed(more: Partial<Parameters<typeof signedRequest>[0]> = {}): Buffer {
	return signedRequest({
		appKey: TEST_APP_KEY,
		secret: TEST_SECRET,
		now: NOW_MS,
		requestParam: "{}",
		...more,
	});
}

export function standingClock(nowMs: number = NOW_MS): Clock {
	return {
		now: () => nowMs,
		sleep: (_, signal) =>
			new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true })),
	};
}

function countingIds(): Ids {
	let last = 0;
	return { next: () => `request-${++last}` };
}

export function handlerOptions(receive: Receive, clock: Clock = standingClock()): TopHandlerOptions {
	return {
		receive,
		clock,
		verifier: createTopVerifier({ apps: APPS, clock }),
		ids: countingIds(),
		logger: transcribingLogger(),
	};
}

export interface TestServer {
	readonly address: string;
	readonly server: Server;
	close(): Promise<void>;
}

/** A user's own server with the handler mounted on it; other paths get its own 404. */
export async function startServer(options: NodeHandlerOptions): Promise<TestServer> {
	const handler = createNodeHandler(options);
	const server = createServer((request, response) => {
		if (!handler(request, response)) response.writeHead(404, { "content-length": 0 }).end();
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return {
		server,
		address: `http://127.0.0.1:${port}`,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

export interface StartedIngress {
	readonly ingress: Ingress;
	readonly address: string;
}

/** Ingresses on servers of their own, stopped all together. */
export function ingressStarter(): {
	start(options?: Partial<HttpIngressOptions>, recorded?: RecordingReceive): Promise<StartedIngress>;
	stop(): Promise<void>;
} {
	const running: Ingress[] = [];
	return {
		async start(options = {}, recorded = recordingReceive()) {
			const { receive, ...rest } = handlerOptions(recorded.receive);
			const ingress = createHttpIngress({ ...rest, ...options });
			running.push(ingress);
			const { address = "" } = await ingress.start(receive);
			return { ingress, address };
		},
		async stop() {
			await Promise.all(running.splice(0).map((ingress) => ingress.stop()));
		},
	};
}

/** What a client hears until the other side closes. */
export interface Conversation {
	readonly socket: Socket;
	said(): string;
	/** Resolves when the connection is closed, with all that was said. */
	readonly ended: Promise<string>;
}

export async function converse(
	address: string,
	...bytes: readonly (string | Buffer)[]
): Promise<Conversation> {
	const socket = connect(Number(new URL(address).port), "127.0.0.1");
	let text = "";
	socket
		.on("error", () => {})
		.on("data", (chunk) => {
			text += chunk;
		});
	const ended = once(socket, "close").then(() => {
		transcribe("http", text);
		return text;
	});
	await once(socket, "connect");
	for (const one of bytes) socket.write(one);
	return { socket, said: () => text, ended };
}

const FIXTURES = new URL("../fixtures/", import.meta.url);

export function readFixture(name: string): unknown {
	return JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8"));
}

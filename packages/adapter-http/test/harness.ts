// What this package's tests share: a receive that records, a clock that stands, a real server around the handler.

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock, Ids, Receive, ReceiveOutcome, Report } from "@reelkeep/core/ports";
import {
	CAPTURE_APP_KEY,
	CAPTURE_SECRET,
	TEST_APP_KEY,
	TEST_SECRET,
	transcribingLogger,
} from "@reelkeep/testing/transcript";
import type { TopHandlerOptions } from "../src/handle.js";
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

export function standingClock(nowMs: number = NOW_MS): Clock {
	return { now: () => nowMs, sleep: async () => {} };
}

export function countingIds(): Ids {
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

const FIXTURES = new URL("../fixtures/", import.meta.url);

export function readFixture(name: string): unknown {
	return JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8"));
}

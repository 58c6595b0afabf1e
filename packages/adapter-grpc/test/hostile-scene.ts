// What hostile clients share: a server, all that it says, and the proof that it came to no harm.

import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Report } from "@reelkeep/core/ports";
import { transcribe, transcribingLogger } from "@reelkeep/harness/transcript";
import { expect, vi } from "vitest";
import type { GrpcIngressOptions } from "../src/grpc-ingress.js";
import {
	ingressStarter,
	type RecordingReceive,
	raw,
	recordingReceive,
	type StartedIngress,
} from "./harness.js";
import { connectRaw, grpcMessage, type Headers, type RawConnection, REPORT } from "./raw-connection.js";

/** What attacks send where it must not be repeated. */
export const MARK = "sent-by-a-stranger";

/** A report that is taken: `request_param` `{}`. */
export const GOOD = Buffer.from([0x12, 2, 0x7b, 0x7d]);
export const GOOD_MESSAGE = grpcMessage(GOOD);
/** The same as one of a stream. */
export const GOOD_ITEM = Buffer.concat([Buffer.from([0x0a, GOOD.length]), GOOD]);
export const GOOD_ITEM_MESSAGE = grpcMessage(GOOD_ITEM);

export interface Scene extends StartedIngress {
	readonly reports: readonly Report[];
	/** All that was logged, and all that was written past the log. */
	said(): string;
	/** By node:http2, which sends what is well-formed. */
	session(): ClientHttp2Session;
	raw(options?: { readonly remembers?: boolean }): Promise<RawConnection>;
	/**
	 * Of an attack nothing but `reports` was handed over, nothing it sent was repeated, nothing broke, and a good report
	 * is answered on another connection.
	 */
	expectUnharmed(reports?: number): Promise<void>;
}

export interface HostileScenes {
	start(options?: Partial<GrpcIngressOptions>, recorded?: RecordingReceive): Promise<Scene>;
	/** For `beforeEach` and `afterEach`. */
	begin(): void;
	end(): Promise<void>;
}

export function hostileScenes(): HostileScenes {
	const servers = ingressStarter();
	const closing: (() => void)[] = [];
	const troubles: string[] = [];
	const past: string[] = [];
	const { error: printError } = console;
	const broke = (error: unknown): void => void troubles.push(String(error));
	return {
		begin() {
			troubles.length = 0;
			past.length = 0;
			process.on("uncaughtException", broke).on("unhandledRejection", broke);
			// @grpc/grpc-js writes here.
			console.error = (...words) => void past.push(words.join(" "));
		},
		async end() {
			for (const close of closing.splice(0)) close();
			await servers.stop();
			process.off("uncaughtException", broke).off("unhandledRejection", broke);
			console.error = printError;
		},
		async start(options = {}, recorded = recordingReceive()) {
			const logged: string[] = [];
			const logger = tee(logged);
			const started = await servers.start({ logger, ...options }, recorded);
			const { address } = started;
			const { reports } = recorded;
			return {
				...started,
				reports,
				said: () => [...logged, ...past].join("\n"),
				session() {
					const session = connect(`http://${address}`);
					session.on("error", () => {});
					closing.push(() => session.destroy());
					return session;
				},
				async raw(options) {
					const connection = await connectRaw(address, options);
					closing.push(() => connection.socket.destroy());
					return connection;
				},
				async expectUnharmed(expected = 0) {
					expect(reports).toHaveLength(expected);
					await expectGoodReport(address, servers);
					expect(reports).toHaveLength(expected + 1);
					expect(troubles).toEqual([]);
					expect(past).toEqual([]);
					expect(logged.join("\n")).not.toContain(MARK);
				},
			};
		},
	};
}

async function expectGoodReport(address: string, servers: ReturnType<typeof ingressStarter>): Promise<void> {
	const client = servers.client(address);
	await expect(client.report(raw("{}"), {}, { deadline: Date.now() + 10_000 })).resolves.toBeDefined();
	client.close();
}

function tee(logged: string[]) {
	const transcribing = transcribingLogger();
	const write = (level: keyof typeof transcribing) => (details: object, message: string) => {
		logged.push(`${level} ${message} ${JSON.stringify(details)}`);
		transcribing[level](details, message);
	};
	return {
		trace: write("trace"),
		debug: write("debug"),
		info: write("info"),
		warn: write("warn"),
		error: write("error"),
	};
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What this process, server and all, holds on to. *Units*: bytes. */
export function heldBytes(): number {
	collectGarbage();
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

export interface Answer {
	/** Of HTTP; `undefined`: there was no response. */
	readonly http: number | undefined;
	/** Of gRPC. */
	readonly status: number | undefined;
	readonly message: string;
	/** With which the stream was reset. */
	readonly reset: number;
}

export interface CallOptions {
	readonly path?: string;
	readonly headers?: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
	/** Default: one good report. */
	readonly send?: (stream: ClientHttp2Stream) => void;
}

/** One call, to its end. */
export async function call(
	session: ClientHttp2Session,
	{ path = REPORT, headers = {}, send = (stream) => stream.end(GOOD_MESSAGE) }: CallOptions = {},
): Promise<Answer> {
	const stream = session.request({
		":method": "POST",
		":path": path,
		"content-type": "application/grpc",
		te: "trailers",
		...headers,
	} as Record<string, string>);
	return answerOf(stream, send);
}

export async function answerOf(
	stream: ClientHttp2Stream,
	send: (stream: ClientHttp2Stream) => void = () => {},
): Promise<Answer> {
	const said: Record<string, unknown> = {};
	stream.on("response", (headers) => Object.assign(said, headers));
	stream.on("trailers", (headers) => Object.assign(said, headers));
	stream.on("error", () => {});
	stream.resume();
	const closed = new Promise<void>((resolve) => stream.once("close", resolve));
	send(stream);
	await closed;
	const { ":status": http, "grpc-status": status, "grpc-message": message = "" } = said;
	transcribe("grpc", `${status} ${message}`);
	return {
		http: http as number | undefined,
		status: status === undefined ? undefined : Number(status),
		message: String(message),
		reset: stream.rstCode,
	};
}

/** What `SubscribeEvents` takes to begin with the first event: nothing is set. */
export const NO_EVENTS: Buffer = grpcMessage(Buffer.alloc(0));

/** Resolves when so many reports were handed over. */
export const handedOver = ({ reports }: Scene, count: number): Promise<void> =>
	vi.waitFor(() => expect(reports).toHaveLength(count), { timeout: 4_000, interval: 2 });

// What this package's tests share: ingresses on servers of their own, and clients of theirs.

import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
	type CallOptions,
	type ChannelCredentials,
	Client,
	credentials,
	Metadata,
	type ServiceError,
} from "@grpc/grpc-js";
import { createMemoryEventStore } from "@reelkeep/core";
import { randomIds, systemClock } from "@reelkeep/core/container";
import type { EventStore, Ingress, NewEvent, Receive, ReceiveOutcome, Report } from "@reelkeep/core/ports";
import { transcribe, transcribingLogger } from "@reelkeep/harness/transcript";
import { createGrpcIngress, type GrpcIngressOptions } from "../src/grpc-ingress.js";
import {
	type BadRequest,
	BadRequestSchema,
	type ErrorInfo,
	ErrorInfoSchema,
	type ReportRecordingRequestSchema,
	type ReportRecordingResponse,
	type ReportRecordingsResponse,
	type RequestInfo,
	RequestInfoSchema,
	type RetryInfo,
	RetryInfoSchema,
	recordingService,
	StatusSchema,
	type SubscribeEventsRequestSchema,
	type SubscribeEventsResponse,
} from "../src/v1.js";

export type ReportInit = MessageInitShape<typeof ReportRecordingRequestSchema>;

export interface RecordingReceive {
	readonly receive: Receive;
	/** Everything that would have been stored. */
	readonly reports: Report[];
}

export function recordingReceive(
	answer: ReceiveOutcome | ((report: Report) => Promise<ReceiveOutcome>) = {
		_tag: "Reported",
		stream: "recording-1",
	},
): RecordingReceive {
	const reports: Report[] = [];
	return {
		reports,
		receive: async (report) => {
			reports.push(report);
			return typeof answer === "function" ? await answer(report) : answer;
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

export function ingressOptions(): GrpcIngressOptions {
	return { ids: randomIds, clock: systemClock, logger: transcribingLogger() };
}

export interface StartedIngress {
	readonly ingress: Ingress;
	readonly address: string;
}

/** Ingresses on servers of their own, and clients of theirs, ended all together. */
export function ingressStarter(): {
	start(options?: Partial<GrpcIngressOptions>, recorded?: { receive: Receive }): Promise<StartedIngress>;
	client(address: string, channel?: ChannelCredentials): TestClient;
	stop(): Promise<void>;
} {
	const running: Ingress[] = [];
	const clients: TestClient[] = [];
	return {
		async start(options = {}, recorded = recordingReceive()) {
			const ingress = createGrpcIngress({ ...ingressOptions(), stopTimeMs: 2_000, ...options });
			running.push(ingress);
			const { address = "" } = await ingress.start(recorded.receive);
			return { ingress, address };
		},
		client(address, channel) {
			const client = testClient(address, channel);
			clients.push(client);
			return client;
		},
		async stop() {
			for (const client of clients.splice(0)) client.close();
			await Promise.all(running.splice(0).map((ingress) => ingress.stop()));
		},
	};
}

/** An error as a caller sees it. */
export interface Failure {
	readonly code: number;
	readonly message: string;
	readonly reason?: string | undefined;
	readonly requestInfo?: RequestInfo | undefined;
	readonly badRequest?: BadRequest | undefined;
	readonly retryInfo?: RetryInfo | undefined;
}

export interface TestClient {
	/** Rejects with a `Failure`. */
	report(
		request: ReportInit,
		metadata?: Readonly<Record<string, string>>,
		options?: CallOptions,
	): Promise<ReportRecordingResponse>;
	reportMany(
		requests: Iterable<ReportInit> | AsyncIterable<ReportInit>,
		metadata?: Readonly<Record<string, string>>,
	): Promise<ReportRecordingsResponse>;
	/** Ends when the caller leaves the loop; throws a `Failure`. */
	subscribe(
		request: MessageInitShape<typeof SubscribeEventsRequestSchema>,
		metadata?: Readonly<Record<string, string>>,
	): AsyncGenerator<SubscribeEventsResponse>;
	readonly raw: Client;
	close(): void;
}

export function testClient(
	address: string,
	channel: ChannelCredentials = credentials.createInsecure(),
): TestClient {
	const raw = new Client(address, channel, { "grpc.initial_reconnect_backoff_ms": 50 });
	const { ReportRecording, ReportRecordings, SubscribeEvents } = recordingService;
	return {
		raw,
		close: () => raw.close(),
		report: (request, metadata = {}, options = {}) =>
			new Promise((resolve, reject) => {
				raw.makeUnaryRequest(
					ReportRecording.path,
					ReportRecording.requestSerialize,
					ReportRecording.responseDeserialize,
					request,
					toMetadata(metadata),
					options,
					(error, response) => {
						if (error !== null) reject(toFailure(error));
						else if (response !== undefined) resolve(response);
					},
				);
			}),
		async reportMany(requests, metadata = {}) {
			let answer = (_: ServiceError | ReportRecordingsResponse): void => {};
			const answered = new Promise<ServiceError | ReportRecordingsResponse>((resolve) => {
				answer = resolve;
			});
			const call = raw.makeClientStreamRequest(
				ReportRecordings.path,
				ReportRecordings.requestSerialize,
				ReportRecordings.responseDeserialize,
				toMetadata(metadata),
				(error, response) => answer(error ?? (response as ReportRecordingsResponse)),
			);
			for await (const request of requests) {
				const written = new Promise<void>((resolve) => call.write({ report: request }, () => resolve()));
				await Promise.race([written, answered]);
			}
			call.end();
			const result = await answered;
			if ("results" in result) return result;
			throw toFailure(result);
		},
		async *subscribe(request, metadata = {}) {
			const call = raw.makeServerStreamRequest(
				SubscribeEvents.path,
				SubscribeEvents.requestSerialize,
				SubscribeEvents.responseDeserialize,
				request,
				toMetadata(metadata),
			);
			// An error after the loop was left is nobody's.
			call.on("error", () => {});
			try {
				for await (const batch of call) yield batch;
			} catch (error) {
				throw toFailure(error as ServiceError);
			} finally {
				call.cancel();
			}
		},
	};
}

function toMetadata(values: Readonly<Record<string, string>>): Metadata {
	const metadata = new Metadata();
	for (const [key, value] of Object.entries(values)) metadata.add(key, value);
	return metadata;
}

function toFailure(error: ServiceError): Failure {
	transcribe("grpc", `${error.code} ${error.details}`);
	const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
	if (!Buffer.isBuffer(details)) return { code: error.code, message: error.details };
	const status = fromBinary(StatusSchema, details);
	const find = (schema: Parameters<typeof anyUnpack>[1]) =>
		status.details.map((any) => anyUnpack(any, schema)).find((one) => one !== undefined);
	return {
		code: status.code,
		message: status.message,
		reason: (find(ErrorInfoSchema) as ErrorInfo | undefined)?.reason,
		requestInfo: find(RequestInfoSchema) as RequestInfo | undefined,
		badRequest: find(BadRequestSchema) as BadRequest | undefined,
		retryInfo: find(RetryInfoSchema) as RetryInfo | undefined,
	};
}

/** A report as raw text. */
export function raw(text: string): ReportInit {
	return { report: { case: "requestParam", value: Buffer.from(text) } };
}

/** A store with `count` events, each of a stream of its own. */
export async function storeOf(count: number): Promise<EventStore> {
	const store = createMemoryEventStore({ clock: systemClock });
	for (let index = 1; index <= count; index += 1) await appendTo(store, index);
	return store;
}

export async function appendTo(store: EventStore, index: number): Promise<void> {
	const event: NewEvent = {
		id: `event-${index}`,
		type: "RecordingReported",
		schemaVersion: 1,
		data: { index },
		metadata: { ingress: "test" },
	};
	await store.append(`recording-${index}`, [event], "no-stream");
}

// `SubscribeEvents`: the event log from a position on, no faster than its subscriber reads.

import { durationMs } from "@bufbuild/protobuf/wkt";
import { status as Code, type handleServerStreamingCall, type ServerWritableStream } from "@grpc/grpc-js";
import { describeError, lastPosition, observe, silentLogger } from "@reelkeep/core";
import {
	comparePositions,
	type EventStore,
	isPosition,
	isStoreFault,
	type Position,
} from "@reelkeep/core/ports";
import { serveCall } from "./answer-call.js";
import { readCall } from "./callers.js";
import type { Received } from "./define-method.js";
import { type EventBatch, eventBatches } from "./event-batches.js";
import type { SubscribeEventsRequest } from "./gen/reelkeep/v1/recording_service_pb.js";
import { identifyOrConclude } from "./identify-call.js";
import { refused, reportConclusion } from "./report.js";
import { toStatusObject } from "./rich-status.js";
import type { ServiceContext } from "./service-context.js";
import { failed, type GrpcFailure, INTERNAL_ERROR, isFailure, MALFORMED, STOPPING } from "./status.js";

const DEFAULT_BATCH_EVENTS = 256;
const MAX_BATCH_EVENTS = 1024;
const DEFAULT_HEARTBEAT_MS = 10_000;
const MIN_HEARTBEAT_MS = 1_000;
const MAX_HEARTBEAT_MS = 300_000;

type Stream = ServerWritableStream<Received<SubscribeEventsRequest>, EventBatch>;
type Handler = handleServerStreamingCall<Received<SubscribeEventsRequest>, EventBatch>;

export function createSubscribeEvents(context: ServiceContext): Handler {
	let subscriptions = 0;
	const subscribe = async (call: Stream, requestId: string): Promise<GrpcFailure> => {
		const caller = await identifyOrConclude(readCall(call), "subscribe", requestId, context);
		if (caller._tag === "Failed") return caller;
		const { name } = caller;
		const startedAt = context.clock.now();
		const conclude = (answer: GrpcFailure): GrpcFailure => {
			reportConclusion({ ...refused(answer), appKey: name }, requestId, startedAt, context);
			return answer;
		};
		if (subscriptions >= context.limits.maxSubscriptions) return conclude(TOO_MANY);
		subscriptions += 1;
		observe(() => context.logger?.info({ requestId, caller: name }, "a subscription begins"));
		try {
			const answer = await serve(call, requestId, context);
			if (answer !== GONE && answer !== STOPPING) return conclude(answer);
			observe(() =>
				context.logger?.info({ requestId, caller: name, outcome: answer.reason }, "a subscription ended"),
			);
			return answer;
		} finally {
			subscriptions -= 1;
		}
	};
	return (call) =>
		serveCall(
			context,
			(requestId) => subscribe(call, requestId),
			(failure, requestId) => {
				if (!call.cancelled) call.emit("error", toStatusObject(failure, requestId));
			},
		);
}

/** Sends until the subscriber goes, the service stops or the log fails. */
async function serve(call: Stream, requestId: string, context: ServiceContext): Promise<GrpcFailure> {
	const { store, stopping, logger = silentLogger, clock } = context;
	if (store === undefined) return NO_LOG;
	const gone = new AbortController();
	const leave = (): void => gone.abort("gone");
	call.once("cancelled", leave);
	stopping.addEventListener("abort", leave, { once: true });
	if (call.cancelled || stopping.aborted) leave();
	try {
		const options = await readRequest(call.request.message, store);
		if (isFailure(options)) return options;
		await send(
			call,
			eventBatches({ store, clock, logger }, { ...options, signal: gone.signal }),
			gone.signal,
		);
		return call.cancelled ? GONE : STOPPING;
	} catch (error) {
		if (!isStoreFault(error)) throw error;
		observe(() => logger.error({ requestId, error: describeError(error) }, "a subscription failed"));
		return INTERNAL_ERROR;
	} finally {
		stopping.removeEventListener("abort", leave);
	}
}

/** Two batches are under way at most: one in the socket's hands, one waiting. */
async function send(call: Stream, batches: AsyncIterable<EventBatch>, gone: AbortSignal): Promise<void> {
	let previous: Promise<void> = Promise.resolve();
	for await (const batch of batches) {
		const written = write(call, batch, gone);
		await previous;
		previous = written;
	}
	await previous;
}

/** Resolves when the batch has left, or its subscriber. Nothing of it is left on `gone`, which lives for weeks. */
function write(call: Stream, batch: EventBatch, gone: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			gone.removeEventListener("abort", done);
			resolve();
		};
		gone.addEventListener("abort", done, { once: true });
		if (gone.aborted) done();
		else call.write(batch, done);
	});
}

interface Start {
	readonly after: Position | undefined;
	readonly maxEvents: number;
	readonly heartbeatMs: number;
}

async function readRequest(
	request: SubscribeEventsRequest | undefined,
	store: EventStore,
): Promise<Start | GrpcFailure> {
	if (request === undefined) return MALFORMED;
	const { maxBatchEvents: maxEvents, heartbeatInterval: interval } = request;
	const heartbeatMs = interval === undefined ? DEFAULT_HEARTBEAT_MS : durationMs(interval);
	if (maxEvents > MAX_BATCH_EVENTS) return invalid("max_batch_events", `must be at most ${MAX_BATCH_EVENTS}`);
	if (!(heartbeatMs >= MIN_HEARTBEAT_MS && heartbeatMs <= MAX_HEARTBEAT_MS)) {
		return invalid("heartbeat_interval", "must be from 1 s to 5 min");
	}
	const after = await readStart(request.start, store);
	if (typeof after === "object") return after;
	return { after, maxEvents: maxEvents || DEFAULT_BATCH_EVENTS, heartbeatMs };
}

async function readStart(
	start: SubscribeEventsRequest["start"],
	store: EventStore,
): Promise<Position | undefined | GrpcFailure> {
	if (start.case === undefined || (start.case === "fromEnd" && !start.value)) return undefined;
	const last = await lastPosition(store);
	if (start.case === "fromEnd") return last;
	// What a response of an empty log says.
	if (start.value === "") return undefined;
	if (!isPosition(start.value)) return invalid("after_position", "must be a position of an earlier response");
	if (last === undefined || comparePositions(start.value, last) > 0) return OUT_OF_RANGE;
	return start.value;
}

const OUT_OF_RANGE: GrpcFailure = failed(
	Code.OUT_OF_RANGE,
	"BEHIND_THE_END",
	"the position is behind the end of the log: it is another log's, or this one was cut",
);

const TOO_MANY: GrpcFailure = {
	...failed(Code.RESOURCE_EXHAUSTED, "TOO_MANY_SUBSCRIPTIONS", "too many subscriptions are open"),
	retryAfterMs: 10_000,
};

function invalid(field: string, problem: string): GrpcFailure {
	return {
		...failed(Code.INVALID_ARGUMENT, "INVALID_FIELD", `${field} ${problem}`),
		issues: [{ field, problem }],
	};
}

const NO_LOG: GrpcFailure = failed(
	Code.UNIMPLEMENTED,
	"NO_LOG",
	"there is no event log here to subscribe to",
);

/** Nobody hears it. */
const GONE: GrpcFailure = failed(Code.CANCELLED, "CANCELLED", "the subscriber has gone");

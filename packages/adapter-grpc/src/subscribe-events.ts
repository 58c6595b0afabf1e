// `SubscribeEvents`: the event log from a position on, no faster than its subscriber reads.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { status as Code, type handleServerStreamingCall, type ServerWritableStream } from "@grpc/grpc-js";
import { describeError, lastPosition, observe } from "@reelkeep/core";
import {
	comparePositions,
	type EventStore,
	isPosition,
	isStoreFault,
	type Position,
} from "@reelkeep/core/ports";
import type { Received } from "./define-method.js";
import { type EventBatch, eventBatches } from "./event-batches.js";
import type {
	SubscribeEventsRequest,
	SubscribeEventsResponseSchema,
} from "./gen/reelkeep/v1/recording_service_pb.js";
import { identifyOrConclude } from "./identify-call.js";
import { NO_MESSAGE } from "./read-report.js";
import { logUnexpected } from "./report.js";
import { toStatusObject } from "./rich-status.js";
import type { ServiceContext } from "./service-context.js";
import { failed, type GrpcFailure, INTERNAL_ERROR, STOPPING } from "./status.js";

const DEFAULT_BATCH_EVENTS = 256;
const MAX_BATCH_EVENTS = 1024;
const DEFAULT_HEARTBEAT_MS = 10_000;
const MIN_HEARTBEAT_MS = 1_000;
const MAX_HEARTBEAT_MS = 300_000;

type Stream = ServerWritableStream<
	Received<SubscribeEventsRequest>,
	MessageInitShape<typeof SubscribeEventsResponseSchema>
>;
type Handler = handleServerStreamingCall<
	Received<SubscribeEventsRequest>,
	MessageInitShape<typeof SubscribeEventsResponseSchema>
>;

export function createSubscribeEvents(context: ServiceContext): Handler {
	let open = 0;
	return async (call) => {
		const requestId = context.ids.next();
		const end = (failure: GrpcFailure): void => void call.emit("error", toStatusObject(failure, requestId));
		const caller = await identifyOrConclude(call, "subscribe", requestId, context);
		if (caller._tag === "Failed") return end(caller);
		if (open >= context.limits.maxSubscriptions) return end(TOO_MANY);
		open += 1;
		const { name } = caller;
		observe(() => context.logger?.info({ requestId, caller: name }, "a subscription begins"));
		const failure = await serve(call, requestId, context);
		open -= 1;
		const { code } = failure;
		observe(() => context.logger?.info({ requestId, caller: name, code }, "a subscription ended"));
		if (!call.cancelled) end(failure);
	};
}

/** Sends until the subscriber goes, the service stops or the log fails. *Promise*: never rejects. */
async function serve(call: Stream, requestId: string, context: ServiceContext): Promise<GrpcFailure> {
	const { store, stopping, logger, clock } = context;
	if (store === undefined) return failed(Code.UNIMPLEMENTED, "there is no event log here to subscribe to");
	const gone = new AbortController();
	const leave = (): void => gone.abort("gone");
	call.once("cancelled", leave);
	stopping.addEventListener("abort", leave, { once: true });
	if (call.cancelled || stopping.aborted) leave();
	try {
		const options = await readRequest(call.request.message, store);
		if ("_tag" in options) return options;
		const deps = { store, clock, logger: logger ?? SILENT };
		await send(call, eventBatches(deps, { ...options, signal: gone.signal }), gone.signal);
		return STOPPING;
	} catch (error) {
		if (!isStoreFault(error)) logUnexpected(error, requestId, logger);
		else observe(() => logger?.error({ requestId, error: describeError(error) }, "a subscription failed"));
		return INTERNAL_ERROR;
	} finally {
		stopping.removeEventListener("abort", leave);
	}
}

/** Two batches are under way at most: one in the socket's hands, one waiting. */
async function send(call: Stream, batches: AsyncIterable<EventBatch>, gone: AbortSignal): Promise<void> {
	const goes = new Promise<void>((resolve) =>
		gone.addEventListener("abort", () => resolve(), { once: true }),
	);
	let previous: Promise<void> = Promise.resolve();
	for await (const batch of batches) {
		const written = new Promise<void>((resolve) => call.write(batch, () => resolve()));
		await Promise.race([previous, goes]);
		previous = written;
	}
	await Promise.race([previous, goes]);
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
	if (request === undefined) return NO_MESSAGE;
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
	"the position is behind the end of the log: it is another log's, or this one was cut",
);

const TOO_MANY: GrpcFailure = {
	...failed(Code.RESOURCE_EXHAUSTED, "too many subscriptions are open"),
	retryAfterMs: 10_000,
};

function invalid(field: string, problem: string): GrpcFailure {
	return { ...failed(Code.INVALID_ARGUMENT, `${field} ${problem}`), issues: [{ field, problem }] };
}

const ignore = (): void => undefined;
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

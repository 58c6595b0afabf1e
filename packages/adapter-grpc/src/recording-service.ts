// The service on any `grpc.Server`: yours, or the one of `createGrpcIngress`.

import { setMaxListeners } from "node:events";
import type { Server } from "@grpc/grpc-js";
import { guardLogger, observe } from "@reelkeep/core";
import type { Clock, EventStore, Ids, Logger, Receive, Telemetry } from "@reelkeep/core/ports";
import { type CallerOptions, createIdentify } from "./callers.js";
import { defineServedMethod } from "./define-method.js";
import { encodeEventBatch } from "./encode-event-batch.js";
import { RecordingService as Service } from "./gen/reelkeep/v1/recording_service_pb.js";
import { createInFlight } from "./in-flight.js";
import { type GrpcLimits, resolveLimits } from "./limits.js";
import { createOpenCalls } from "./open-calls.js";
import { createReportRecording } from "./report-recording.js";
import { createReportRecordings } from "./report-recordings.js";
import type { ServiceContext } from "./service-context.js";
import { createSubscribeEvents } from "./subscribe-events.js";

export interface RecordingServiceOptions extends CallerOptions {
	readonly receive: Receive;
	/** The event log. Left out: `SubscribeEvents` is answered `UNIMPLEMENTED`. */
	readonly store?: EventStore;
	readonly ids: Ids;
	readonly clock: Clock;
	readonly logger?: Logger;
	readonly telemetry?: Telemetry;
	readonly limits?: Partial<GrpcLimits>;
}

export interface RecordingService {
	/** Adds `reelkeep.v1.RecordingService` to a server. *Errors*: throws an `Error` when it has one already. */
	addTo(server: Server): void;
	/**
	 * Ends subscriptions with `UNAVAILABLE`, streams a second later, takes no new calls, and resolves when all are answered.
	 * Call it before you shut your server down: an open subscription would keep it waiting.
	 */
	stop(): Promise<void>;
}

const OPEN = "gRPC asks nobody who calls: every program on this machine may report, and read all events";

const METHODS = {
	ReportRecording: defineServedMethod(Service.method.reportRecording),
	ReportRecordings: defineServedMethod(Service.method.reportRecordings),
	SubscribeEvents: {
		...defineServedMethod(Service.method.subscribeEvents),
		responseSerialize: encodeEventBatch,
	},
};

/** Throws a `RangeError` for limits that are none, a `TypeError` for subscribers where nobody is asked who calls. */
export function createRecordingService(options: RecordingServiceOptions): RecordingService {
	const { receive, store, ids, clock, logger, telemetry, verifier } = options;
	const limits = resolveLimits(options.limits);
	const open = createOpenCalls();
	const stopping = new AbortController();
	// Each call of a stream listens.
	setMaxListeners(0, stopping.signal);
	const context: ServiceContext = {
		receive,
		identify: createIdentify(options),
		ids,
		clock,
		limits,
		takePlace: createInFlight(limits),
		open,
		stopping: stopping.signal,
		...(verifier === undefined ? {} : { verifier }),
		...(store === undefined ? {} : { store }),
		// In a server's own listeners nothing would catch what a logger throws.
		...(logger === undefined ? {} : { logger: guardLogger(logger) }),
		...(telemetry === undefined ? {} : { telemetry }),
	};
	return {
		addTo(server) {
			if (options.callers === undefined && verifier === undefined) observe(() => logger?.warn({}, OPEN));
			server.addService(METHODS, {
				ReportRecording: createReportRecording(context),
				ReportRecordings: createReportRecordings(context),
				SubscribeEvents: createSubscribeEvents(context),
			});
		},
		async stop() {
			stopping.abort("stopping");
			await open.idle();
		},
	};
}

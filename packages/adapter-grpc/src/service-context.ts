// What every call of the service works with.

import type { Clock, EventStore, Ids, Logger, Receive, Telemetry, Verifier } from "@reelkeep/core/ports";
import type { Identify } from "./callers.js";
import type { TakePlace } from "./in-flight.js";
import type { GrpcLimits } from "./limits.js";
import type { OpenCalls } from "./open-calls.js";

export interface ServiceContext {
	readonly receive: Receive;
	readonly identify: Identify;
	readonly verifier?: Verifier;
	/** The event log; without it nobody can subscribe. */
	readonly store?: EventStore;
	readonly ids: Ids;
	readonly clock: Clock;
	readonly logger?: Logger;
	readonly telemetry?: Telemetry;
	readonly limits: GrpcLimits;
	readonly takePlace: TakePlace;
	readonly open: OpenCalls;
	/** Aborts when the service stops. */
	readonly stopping: AbortSignal;
}

// `grpc.health.v1.Health`, answered as `/readyz` is: what is merely degraded still serves.

import { setMaxListeners } from "node:events";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
	status as Code,
	type handleServerStreamingCall,
	type handleUnaryCall,
	type Server,
} from "@grpc/grpc-js";
import { checkReadiness, observe } from "@reelkeep/core";
import type { Clock, Health } from "@reelkeep/core/ports";
import { defineServedMethod, type Received } from "./define-method.js";
import {
	type HealthCheckRequest,
	type HealthCheckResponseSchema,
	Health as Service,
	HealthCheckResponse_ServingStatus as Serving,
} from "./gen/grpc/health/v1/health_pb.js";
import { RecordingService } from "./gen/reelkeep/v1/recording_service_pb.js";
import { createInFlight } from "./in-flight.js";

/** Probes ask without a proof: the answer is at most as old as this, so that asking on and on costs nothing. */
const FRESH_MS = 1_000;
const WATCH_INTERVAL_MS = 2_000;
/** Of all, and of one connection: nobody takes all places. */
const MAX_WATCHERS = 512;
const MAX_WATCHERS_OF_PEER = 4;

type Watch = handleServerStreamingCall<
	Received<HealthCheckRequest>,
	MessageInitShape<typeof HealthCheckResponseSchema>
>;
type Check = handleUnaryCall<
	Received<HealthCheckRequest>,
	MessageInitShape<typeof HealthCheckResponseSchema>
>;

export interface HealthService {
	/** *Errors*: throws an `Error` when the server has a health service already. */
	addTo(server: Server): void;
	/** From now on nothing is served; who watches is told, and his call ends. */
	stop(): void;
}

const METHODS = {
	Check: defineServedMethod(Service.method.check),
	List: defineServedMethod(Service.method.list),
	Watch: defineServedMethod(Service.method.watch),
};

/** The server as a whole, and its one service. */
const SERVICES: readonly string[] = ["", RecordingService.typeName];

export function createHealthService({
	health,
	clock,
}: {
	readonly health: Health;
	readonly clock: Clock;
}): HealthService {
	const stopping = new AbortController();
	// Each who watches listens.
	setMaxListeners(0, stopping.signal);
	const status = createStatus(health, clock, stopping.signal);
	const check: Check = async ({ request }, callback) => {
		const { service } = request.message ?? {};
		if (service === undefined || !SERVICES.includes(service)) {
			return callback({ code: Code.NOT_FOUND, details: "there is no such service" });
		}
		callback(null, { status: await status() });
	};
	return {
		addTo(server) {
			server.addService(METHODS, {
				Check: check,
				List: async (_call: unknown, callback: (error: null, response: object) => void) => {
					const one = { status: await status() };
					callback(null, { statuses: Object.fromEntries(SERVICES.map((name) => [name, one])) });
				},
				Watch: createWatch(status, clock, stopping.signal),
			});
		},
		stop: () => stopping.abort("stopping"),
	};
}

function createWatch(status: () => Promise<Serving>, clock: Clock, stopping: AbortSignal): Watch {
	const takePlace = createInFlight({
		maxInFlight: MAX_WATCHERS,
		maxInFlightPerConnection: MAX_WATCHERS_OF_PEER,
	});
	return async (call) => {
		const { service = "" } = call.request.message ?? {};
		const leave = takePlace(call.getPeer());
		if (leave === undefined) {
			call.emit("error", { code: Code.RESOURCE_EXHAUSTED, details: "too many are watching" });
			return;
		}
		const ending = new AbortController();
		const end = (): void => ending.abort("ended");
		call.once("cancelled", end);
		stopping.addEventListener("abort", end, { once: true });
		let told: Serving | undefined;
		for (;;) {
			const now = SERVICES.includes(service) ? await status() : Serving.SERVICE_UNKNOWN;
			if (call.cancelled) break;
			if (now !== told) call.write({ status: now });
			told = now;
			if (stopping.aborted) break;
			await clock.sleep(WATCH_INTERVAL_MS, ending.signal);
		}
		leave();
		stopping.removeEventListener("abort", end);
		observe(() => call.end());
	};
}

/** One check for all who ask at about the same time. */
function createStatus(health: Health, clock: Clock, stopping: AbortSignal): () => Promise<Serving> {
	let asked: { readonly atMs: number; readonly answer: Promise<Serving> } | undefined;
	return async () => {
		if (stopping.aborted) return Serving.NOT_SERVING;
		const nowMs = clock.now();
		if (asked === undefined || Math.abs(nowMs - asked.atMs) >= FRESH_MS) {
			const answer = checkReadiness(health, clock, "grpc").then(({ status }) =>
				status === "failing" ? Serving.NOT_SERVING : Serving.SERVING,
			);
			asked = { atMs: nowMs, answer };
		}
		const answer = await asked.answer;
		return stopping.aborted ? Serving.NOT_SERVING : answer;
	};
}

// The bounds on requests that do not come: @grpc/grpc-js waits for them as long as their connection lives.

import { status as Code, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { type GrpcLimits, resolveLimits } from "./limits.js";
import { createWaiting } from "./waiting.js";

/** An interceptor, and what ends the calls whose request is still to come. */
export interface RequestTime {
	readonly interceptor: ServerInterceptor;
	giveUpAll(): void;
}

/**
 * For the `interceptors` of a `grpc.Server`: a call whose request is not there in `requestTimeMs`, and a client stream
 * that is silent for `streamIdleMs`, end in `DEADLINE_EXCEEDED`. When more than `maxWaiting` wait, so does the one that has
 * waited longest on the connection where most wait: each may hold a message but for its last byte. Throws a `RangeError`
 * for limits that are none.
 */
export function boundRequestTime(limits: Partial<GrpcLimits> = {}): ServerInterceptor {
	return createRequestTime(limits).interceptor;
}

/** `onMessage` is told of each message of a connection, `getPeer()`. Throws a `RangeError` for limits that are none. */
export function createRequestTime(
	limits: Partial<GrpcLimits>,
	onMessage: (peer: string) => void = () => {},
): RequestTime {
	const { requestTimeMs, streamIdleMs, maxWaiting } = resolveLimits(limits);
	const waiting = createWaiting(maxWaiting);
	const interceptor: ServerInterceptor = (method, call) => {
		const peer = call.getPeer();
		let timer: NodeJS.Timeout | undefined;
		const giveUp = (): void => {
			rest();
			call.sendStatus(LATE);
		};
		const rest = (): void => {
			clearTimeout(timer);
			waiting.leave(peer, giveUp);
		};
		const wait = (timeMs: number): void => {
			rest();
			timer = setTimeout(giveUp, timeMs);
			waiting.enter(peer, giveUp);
		};
		return new ServerInterceptingCall(call, {
			start(next) {
				wait(requestTimeMs);
				next({
					onReceiveMessage(message, pass) {
						if (method.requestStream) wait(streamIdleMs);
						onMessage(peer);
						pass(message);
					},
					onReceiveHalfClose(pass) {
						rest();
						pass();
					},
					// Comes last whatever a call ends with.
					onCancel: rest,
				});
			},
		});
	};
	return { interceptor, giveUpAll: waiting.giveUpAll };
}

const LATE = { code: Code.DEADLINE_EXCEEDED, details: "the request did not come in time", metadata: null };

// The bounds on requests that do not come: @grpc/grpc-js waits for them as long as their connection lives.

import { status as Code, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { type GrpcLimits, resolveLimits } from "./limits.js";

/** Is told of each call of a connection, `getPeer()`, and of its messages. */
export interface CallWatcher {
	begin(peer: string): void;
	message(peer: string): void;
	end(peer: string): void;
}

/**
 * For the `interceptors` of a `grpc.Server`: a call whose request is not there in `requestTimeMs`, and a client stream
 * that is silent for `streamIdleMs`, end in `DEADLINE_EXCEEDED`; so does the call that has waited longest when more than
 * `maxWaiting` wait, because each may hold a message but for its last byte. Throws a `RangeError` for limits that are none.
 */
export function boundRequestTime(limits: Partial<GrpcLimits> = {}, watcher?: CallWatcher): ServerInterceptor {
	const { requestTimeMs, streamIdleMs, maxWaiting } = resolveLimits(limits);
	/** How to end each call whose request, or whose next one, is still to come; who waits longest first. */
	const waiting = new Set<() => void>();
	return (method, call) => {
		const peer = watcher === undefined ? "" : call.getPeer();
		const giveUp = (): void => call.sendStatus(LATE);
		let timer: NodeJS.Timeout | undefined;
		const rest = (): void => {
			clearTimeout(timer);
			waiting.delete(giveUp);
		};
		const wait = (timeMs: number): void => {
			rest();
			timer = setTimeout(giveUp, timeMs);
			waiting.add(giveUp);
			const [longest] = waiting;
			if (waiting.size > maxWaiting) longest?.();
		};
		return new ServerInterceptingCall(call, {
			start(next) {
				watcher?.begin(peer);
				wait(requestTimeMs);
				next({
					onReceiveMessage(message, pass) {
						if (method.requestStream) wait(streamIdleMs);
						watcher?.message(peer);
						pass(message);
					},
					onReceiveHalfClose(pass) {
						rest();
						pass();
					},
					// Comes last whatever a call ends with.
					onCancel() {
						rest();
						watcher?.end(peer);
					},
				});
			},
		});
	};
}

const LATE = { code: Code.DEADLINE_EXCEEDED, details: "the request did not come in time", metadata: null };

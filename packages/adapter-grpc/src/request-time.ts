// The bound on requests that do not come: @grpc/grpc-js waits for them as long as their connection lives.

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
 * that is silent for `streamIdleMs`, end in `DEADLINE_EXCEEDED`. Throws a `RangeError` for limits that are none.
 */
export function boundRequestTime(limits: Partial<GrpcLimits> = {}, watcher?: CallWatcher): ServerInterceptor {
	const { requestTimeMs, streamIdleMs } = resolveLimits(limits);
	return (method, call) => {
		const peer = watcher === undefined ? "" : call.getPeer();
		let timer: NodeJS.Timeout | undefined;
		const disarm = (): void => clearTimeout(timer);
		const arm = (timeMs: number): void => {
			disarm();
			timer = setTimeout(() => call.sendStatus(LATE), timeMs);
		};
		return new ServerInterceptingCall(call, {
			start(next) {
				watcher?.begin(peer);
				arm(requestTimeMs);
				next({
					onReceiveMessage(message, pass) {
						if (method.requestStream) arm(streamIdleMs);
						watcher?.message(peer);
						pass(message);
					},
					onReceiveHalfClose(pass) {
						disarm();
						pass();
					},
					// Comes last whatever a call ends with.
					onCancel() {
						disarm();
						watcher?.end(peer);
					},
				});
			},
		});
	};
}

const LATE = { code: Code.DEADLINE_EXCEEDED, details: "the request did not come in time", metadata: null };

// What one connection may say beside its calls: pings, settings, window updates. @grpc/grpc-js counts none of them, so a
// client that keeps itself alive a thousand times a second would keep us busy. Pure.

/** In a minute. 64 KiB are 3,855 pings: a client that sends one every 20 ms stays. */
const TALK_BYTES = 64 * 1024;
const WINDOW_MS = 60_000;
/** Of a call besides its messages: headers and frames. */
const CALL_BYTES = 16 * 1024;
/** Who reads a lot acknowledges a lot, and probes how much more could be sent. */
const WRITTEN_PER_TALK_BYTE = 8;

export interface TalkBudget {
	begin(): void;
	message(): void;
	end(nowMs: number): void;
	/** Since when there is no call; 0 when there never was one, `undefined` while there is. */
	idleSinceMs(): number | undefined;
	/** *Units*: bytes since the connection began, milliseconds of a clock that is never set back. */
	isOver(bytesRead: number, bytesWritten: number, nowMs: number): boolean;
}

/** Counts in windows of a minute; what one leaves over is not saved up for the next. */
export function createTalkBudget(maxMessageBytes: number, startedAtMs: number): TalkBudget {
	const perMessage = CALL_BYTES + maxMessageBytes;
	let open = 0;
	let endedAtMs = 0;
	/** Calls and messages of this window, those included that were open when it began. */
	let messages = 0;
	let window = { startedAtMs, read: 0, written: 0 };
	return {
		begin() {
			open += 1;
			messages += 1;
		},
		message() {
			messages += 1;
		},
		end(nowMs) {
			open -= 1;
			endedAtMs = nowMs;
		},
		idleSinceMs: () => (open > 0 ? undefined : endedAtMs),
		isOver(bytesRead, bytesWritten, nowMs) {
			const allowed =
				TALK_BYTES + messages * perMessage + (bytesWritten - window.written) / WRITTEN_PER_TALK_BYTE;
			const isOver = bytesRead - window.read > allowed;
			if (nowMs - window.startedAtMs >= WINDOW_MS) {
				window = { startedAtMs: nowMs, read: bytesRead, written: bytesWritten };
				messages = open;
			}
			return isOver;
		},
	};
}

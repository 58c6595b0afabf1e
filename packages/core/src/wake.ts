import type { Clock } from "./ports/runtime.js";

/** What a loop waits on: a call, a time, or its end. A call that comes before anyone waits is not lost. */
export interface Wake {
	call(): void;
	/** Forgets a call: what it was about is looked at next anyway. */
	clear(): void;
	/** Resolves when called since the last wait, after `timeoutMs`, or when `signal` aborts. */
	wait(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

/** Makes a wake for a loop of one waiter. */
export function createWake(clock: Clock): Wake {
	let isCalled = false;
	let wake = (): void => undefined;
	return {
		call() {
			isCalled = true;
			wake();
		},
		clear() {
			isCalled = false;
		},
		async wait(timeoutMs, signal) {
			const timer = new AbortController();
			// A reason spares the DOMException, with its stack, that an abort makes otherwise.
			wake = () => timer.abort("woken");
			signal.addEventListener("abort", wake, { once: true });
			if (isCalled || signal.aborted) wake();
			await clock.sleep(timeoutMs, timer.signal);
			signal.removeEventListener("abort", wake);
			isCalled = false;
		},
	};
}

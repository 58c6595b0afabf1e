import type { Clock } from "./ports/runtime.js";

/**
 * What `asked` comes to, or `undefined` when that takes longer than `limitMs` or `signal` aborts before; it goes on, and what
 * becomes of it then is nobody's. Leaves neither a timer nor a listener. *Errors*: rejects as `asked` does in time.
 */
export async function withinTime<Result>(
	clock: Clock,
	asked: Promise<Result>,
	limitMs: number,
	signal?: AbortSignal,
): Promise<Result | undefined> {
	const over = new AbortController();
	const stop = (): void => over.abort("over");
	signal?.addEventListener("abort", stop, { once: true });
	if (signal?.aborted) stop();
	asked.catch(() => undefined);
	try {
		return await Promise.race([asked, clock.sleep(limitMs, over.signal).then(() => undefined)]);
	} finally {
		signal?.removeEventListener("abort", stop);
		stop();
	}
}

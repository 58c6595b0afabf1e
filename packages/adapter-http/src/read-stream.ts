// A web stream's bytes: counted while they come, never read whole first, and not waited for without end.

import { createByteCollector } from "./byte-collector.js";
import type { BodyFault } from "./exchange.js";
import type { HttpLimits } from "./limits.js";
import type { TakePlace } from "./reading-places.js";

/** Resolves with the bytes, or with why there are none; the rest of the stream is cancelled then. Never rejects. */
export async function readStream(
	stream: ReadableStream<Uint8Array>,
	limits: HttpLimits,
	takePlace: TakePlace,
): Promise<Uint8Array | BodyFault> {
	const reader = stream.getReader();
	const cancel = (): void => void reader.cancel().catch(() => undefined);
	let isLate = false;
	const giveUp = (): void => {
		isLate = true;
		cancel(); // which ends a read that waits
	};
	const timer = setTimeout(giveUp, limits.bodyTimeMs);
	const leave = takePlace(giveUp);
	try {
		const held = createByteCollector(limits.maxBodyBytes);
		for (;;) {
			const { done, value } = await reader.read();
			if (isLate) return "too-slow";
			if (done) return held.bytes();
			if (!held.add(value)) {
				cancel();
				return "too-large";
			}
		}
	} catch {
		return "too-slow"; // the sender went away: nobody reads the answer
	} finally {
		clearTimeout(timer);
		leave();
	}
}

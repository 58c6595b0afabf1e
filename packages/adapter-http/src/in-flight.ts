// The bound on requests that are being answered at once, over all paths of one binding.

import type { TopHandler } from "./exchange.js";

/** Past the bound a complete request is answered at once, without a look at its body. */
export function createInFlightBound(maxInFlight: number): (handle: TopHandler) => TopHandler {
	let inFlight = 0;
	return (handle) => async (request) => {
		if (typeof request.body === "string") return handle(request);
		if (inFlight >= maxInFlight) return handle({ ...request, body: "overloaded" });
		inFlight += 1;
		const reply = await handle(request);
		inFlight -= 1;
		return reply;
	};
}

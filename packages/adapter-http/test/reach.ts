// A request through the paths of its direction, as a binding hands it over.

import { transcribe } from "@reelkeep/harness/transcript";
import type { TopRequest } from "../src/exchange.js";
import { pathOf } from "../src/node-handler.js";
import { createRoutes } from "../src/routes.js";
import { createSpiVerifier } from "../src/spi-verifier.js";
import { APPS, handlerOptions, recordingReceive } from "./harness.js";

/** What of a request reaches `receive`. */
export async function reach(request: TopRequest): Promise<readonly unknown[]> {
	const { receive, reports } = recordingReceive();
	const options = handlerOptions(receive);
	const { clock } = options;
	const isSpi = request.target.startsWith("/spi");
	const verifier = isSpi ? createSpiVerifier({ apps: APPS, clock }) : options.verifier;
	const routes = createRoutes({ ...options, verifier, direction: isSpi ? "spi" : "gateway" });
	transcribe("http", String((await routes(pathOf(request.target))?.(request))?.body));
	return reports.map(({ requestParam }) => requestParam);
}

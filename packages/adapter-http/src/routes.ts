// Which path is answered by which handler; every binding asks here.

import { createBatchHandler } from "./batch.js";
import { type CloudSpiHandlerOptions, createCloudSpiHandler } from "./cloud-spi.js";
import type { TopHandler } from "./exchange.js";
import { createTopHandler } from "./handle.js";
import { createInFlightBound } from "./in-flight.js";
import { resolveLimits } from "./limits.js";
import { createSpiHandler } from "./spi.js";

/** Where the gateway of the SDKs answers calls; its batches come to the neighbour `/router/batch`. */
export const REST_PATH = "/router/rest";
/** Where a service of the SPI direction answers, until it is told the path that was registered. */
export const SPI_PATH = "/spi";

export type Direction = "gateway" | "spi" | "cloud-spi";

/** Whether the platform calls a URL of ours, and reads that kind of answer; it sends no batches. */
export function isSpi(direction: Direction | undefined): boolean {
	return direction === "spi" || direction === "cloud-spi";
}

export interface RouteOptions extends CloudSpiHandlerOptions {
	/**
	 * Who calls, and so what is signed and answered: SDKs whose gateway URL points here (`gateway`, the default), or the
	 * platform itself: as TOP's SPI (`spi`), or as Alibaba Cloud's own (`cloud-spi`, experimental: ADR 0036). The verifier must
	 * be of the same kind.
	 */
	readonly direction?: Direction;
	/** Where calls come to. Default `/router/rest`, or `/spi`. */
	readonly path?: string;
	/** Where batches come to; gateway only. Default: `path` with `batch` for a last `rest`, else nowhere. */
	readonly batchPath?: string;
}

/** The paths that are answered. Throws a `TypeError` for one that is none. */
export function resolvePaths({
	direction,
	...paths
}: Pick<RouteOptions, "direction" | "path" | "batchPath">): {
	readonly path: string;
	/** The same where batches have none of their own. */
	readonly batchPath: string;
} {
	const path = paths.path ?? (isSpi(direction) ? SPI_PATH : REST_PATH);
	const batchPath = paths.batchPath ?? path.replace(/\/rest$/, "/batch");
	for (const one of [path, batchPath]) {
		if (!/^\/[^?#\s]*$/.test(one)) throw new TypeError("a path begins with / and has no query");
	}
	return { path, batchPath };
}

/** The handler of a path; `undefined`: none of ours. Throws a `TypeError` for a path that is none, a `RangeError` for limits. */
export function createRoutes(options: RouteOptions): (path: string) => TopHandler | undefined {
	const { path, batchPath } = resolvePaths(options);
	const bound = createInFlightBound(resolveLimits(options.limits).maxInFlight);
	const routes = new Map<string, TopHandler>();
	if (options.direction === "spi") return createLookup(routes.set(path, bound(createSpiHandler(options))));
	if (options.direction === "cloud-spi")
		return createLookup(routes.set(path, bound(createCloudSpiHandler(options))));
	routes.set(batchPath, bound(createBatchHandler(options)));
	// Set last: without a batch path of its own, calls come to the one path.
	return createLookup(routes.set(path, bound(createTopHandler(options))));
}

function createLookup(routes: ReadonlyMap<string, TopHandler>): (path: string) => TopHandler | undefined {
	return (path) => routes.get(path);
}

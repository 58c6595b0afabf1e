// HTTP ingress as a plugin: `createReelkeep({ plugins: [httpIngress({ port: 8080, apps }), …] })`.

import { CLOCK, HEALTH, IDS, LOGGER, type Plugin, RECEIVE, TELEMETRY, VERIFIER } from "@reelkeep/core/ports";
import { type Apps, readApps } from "./app-secrets.js";
import { createHttpIngress, type HttpIngressOptions } from "./http-ingress.js";
import { createTopVerifier } from "./verifier.js";

export interface HttpIngressPluginOptions
	extends Pick<
		HttpIngressOptions,
		"host" | "port" | "path" | "limits" | "maxConnections" | "headersTimeMs" | "stopTimeMs" | "hostLabel"
	> {
	/** Tells two of them apart in one composition. Default `http`. */
	readonly name?: string;
	/** App key → secret or secrets. Left out: the plugin needs a `VERIFIER` from another one. */
	readonly apps?: Apps;
	/** How far a timestamp may be off, either way; only with `apps`. *Units*: milliseconds; default 10 minutes. */
	readonly clockToleranceMs?: number;
}

export interface HttpIngressPlugin extends Plugin {
	/** Where it listens, e.g. `http://127.0.0.1:8080`; `undefined` before the start and after the stop. */
	address(): string | undefined;
}

/**
 * Listens on its own server: `/router/rest`, `/healthz`, `/readyz`.
 * *Errors*: throws a `TypeError` at once for weak `apps`; `start` rejects when the address cannot be bound.
 */
export function httpIngress(options: HttpIngressPluginOptions = {}): HttpIngressPlugin {
	const { name = "http", apps, clockToleranceMs, ...ingressOptions } = options;
	if (apps !== undefined) readApps(apps);
	let ingress: ReturnType<typeof createHttpIngress> | undefined;
	let address: string | undefined;
	return {
		name,
		provides: [],
		needs: [RECEIVE, CLOCK, IDS, LOGGER, TELEMETRY, HEALTH, ...(apps === undefined ? [VERIFIER] : [])],
		async start(get) {
			const clock = get(CLOCK);
			const tolerance = clockToleranceMs === undefined ? {} : { clockToleranceMs };
			ingress = createHttpIngress({
				...ingressOptions,
				clock,
				verifier: apps === undefined ? get(VERIFIER) : createTopVerifier({ apps, clock, ...tolerance }),
				ids: get(IDS),
				logger: get(LOGGER),
				telemetry: get(TELEMETRY),
				health: get(HEALTH),
			});
			({ address } = await ingress.start(get(RECEIVE)));
		},
		async stop() {
			address = undefined;
			await ingress?.stop();
		},
		address: () => address,
	};
}

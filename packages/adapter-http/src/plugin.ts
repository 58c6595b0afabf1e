// HTTP ingress as a plugin: `createReelkeep({ plugins: [httpIngress({ port: 8080, apps }), …] })`.

import {
	CLOCK,
	type Clock,
	HEALTH,
	IDS,
	LOGGER,
	type Plugin,
	RECEIVE,
	TELEMETRY,
	VERIFIER,
	type Verifier,
} from "@reelkeep/core/ports";
import { type Apps, readApps } from "./app-secrets.js";
import { createCloudSpiVerifier } from "./cloud-spi-verifier.js";
import { checkPaths, createHttpIngress, type HttpIngressOptions } from "./http-ingress.js";
import { createSpiVerifier, readSignedHeaders } from "./spi-verifier.js";
import { createTopVerifier } from "./verifier.js";

export interface HttpIngressPluginOptions
	extends Pick<
		HttpIngressOptions,
		| "host"
		| "port"
		| "direction"
		| "path"
		| "batchPath"
		| "limits"
		| "maxConnections"
		| "headersTimeMs"
		| "keepAliveMs"
		| "stopTimeMs"
		| "hostLabel"
		| "failureAnswer"
	> {
	/** Tells two of them apart in one composition. Default `http`. */
	readonly name?: string;
	/** App key → secret or secrets. Left out: the plugin needs a `VERIFIER` from another one. */
	readonly apps?: Apps;
	/**
	 * How far a timestamp may be off, either way; only with `apps`. In the direction `cloud-spi` also how long nonces are
	 * remembered. *Units*: milliseconds; default 10 minutes.
	 */
	readonly clockToleranceMs?: number;
	/** Headers that may be signed in the direction `spi`; only with `apps`. Default: `x-top-trace`. */
	readonly signedHeaders?: readonly string[];
}

export interface HttpIngressPlugin extends Plugin {
	/** Where it listens, e.g. `http://127.0.0.1:8080`; `undefined` before the start and after the stop. */
	address(): string | undefined;
}

/**
 * Listens on its own server: `/router/rest` and `/router/batch`, or the path of the SPI direction; `/healthz`, `/readyz`.
 * *Errors*: throws a `TypeError` at once for weak `apps`, a path or a signed header that can be none; `start` rejects when the address cannot be bound.
 */
export function httpIngress(options: HttpIngressPluginOptions = {}): HttpIngressPlugin {
	const { name = "http", apps, clockToleranceMs, signedHeaders, ...ingressOptions } = options;
	if (apps !== undefined) readApps(apps);
	checkPaths(ingressOptions);
	readSignedHeaders(signedHeaders);
	const createVerifier = (known: Apps, clock: Clock): Verifier => {
		const tolerance = clockToleranceMs === undefined ? {} : { clockToleranceMs };
		if (options.direction === "cloud-spi")
			return createCloudSpiVerifier({ apps: known, clock, ...tolerance });
		if (options.direction !== "spi") return createTopVerifier({ apps: known, clock, ...tolerance });
		const headers = signedHeaders === undefined ? {} : { signedHeaders };
		return createSpiVerifier({ apps: known, clock, ...tolerance, ...headers });
	};
	let ingress: ReturnType<typeof createHttpIngress> | undefined;
	let address: string | undefined;
	return {
		name,
		provides: [],
		needs: [RECEIVE, CLOCK, IDS, LOGGER, TELEMETRY, HEALTH, ...(apps === undefined ? [VERIFIER] : [])],
		async start(get) {
			const clock = get(CLOCK);
			ingress = createHttpIngress({
				...ingressOptions,
				...(clockToleranceMs === undefined ? {} : { clockToleranceMs }),
				clock,
				verifier: apps === undefined ? get(VERIFIER) : createVerifier(apps, clock),
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

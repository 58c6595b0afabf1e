// gRPC ingress as a plugin: `createReelkeep({ plugins: [grpcIngress({ port: 50051 }), …] })`.

import {
	CLOCK,
	EVENT_STORE,
	HEALTH,
	IDS,
	LOGGER,
	type Plugin,
	RECEIVE,
	TELEMETRY,
	VERIFIER,
	type Verifier,
} from "@reelkeep/core/ports";
import { verifyAll } from "./callers.js";
import { createCertificateVerifier } from "./certificates.js";
import { checkIngressOptions, createGrpcIngress, type GrpcIngressOptions } from "./grpc-ingress.js";
import { createTokenVerifier, type Tokens } from "./tokens.js";

export interface GrpcIngressPluginOptions
	extends Pick<
		GrpcIngressOptions,
		| "host"
		| "port"
		| "tls"
		| "subscribers"
		| "limits"
		| "maxConnections"
		| "connectionIdleMs"
		| "keepaliveMs"
		| "stopTimeMs"
	> {
	/** Tells two of them apart in one composition. Default `grpc`. */
	readonly name?: string;
	/** The bearer tokens of those who may call. */
	readonly tokens?: Tokens;
	/** The certificates of those who may call, by common or subject alternative name; with `tls.clientCa`. */
	readonly clients?: readonly string[];
	/** Yours, besides `tokens` and `clients`: all that are given must say yes. */
	readonly callers?: Verifier;
	/** What proves each report by itself; `VERIFIER`: the one that another plugin provides. Left out: its caller does. */
	readonly verifier?: Verifier | typeof VERIFIER;
}

export interface GrpcIngressPlugin extends Plugin {
	/** Where it listens, e.g. `127.0.0.1:50051`; `undefined` before the start and after the stop. */
	address(): string | undefined;
}

/**
 * Listens on its own server: `reelkeep.v1.RecordingService`, health, reflection.
 * *Errors*: throws a `TypeError` at once for weak tokens, for certificates that nobody is asked for, and for an address
 * that is not loopback when nobody has to prove anything; `start` rejects when the address cannot be bound.
 */
export function grpcIngress(options: GrpcIngressPluginOptions = {}): GrpcIngressPlugin {
	const { name = "grpc", tokens, clients, callers: own, verifier, ...rest } = options;
	const callers = combineCallers(options);
	refuseStrangers(options);
	const known = { ...rest, ...(callers === undefined ? {} : { callers }) };
	checkIngressOptions({ ...known, verifier });
	const isProvided = typeof verifier === "symbol";
	let ingress: ReturnType<typeof createGrpcIngress> | undefined;
	let address: string | undefined;
	return {
		name,
		provides: [],
		needs: [RECEIVE, EVENT_STORE, CLOCK, IDS, LOGGER, TELEMETRY, HEALTH, ...(isProvided ? [VERIFIER] : [])],
		async start(get) {
			const proves = typeof verifier === "symbol" ? get(verifier) : verifier;
			const ports = { store: get(EVENT_STORE), clock: get(CLOCK), ids: get(IDS), logger: get(LOGGER) };
			ingress = createGrpcIngress({
				...known,
				...ports,
				telemetry: get(TELEMETRY),
				health: get(HEALTH),
				...(proves === undefined ? {} : { verifier: proves }),
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

/** Who calls is told by his token, if there are tokens. */
function refuseStrangers({ tokens, clients, callers, subscribers = [] }: GrpcIngressPluginOptions): void {
	if (callers !== undefined) return;
	const names = tokens === undefined ? clients : Object.keys(tokens);
	const stranger = names && subscribers.find((name) => !names.includes(name));
	if (stranger === undefined) return;
	throw new TypeError(
		`subscriber ${JSON.stringify(stranger)} has no ${tokens === undefined ? "certificate" : "token"}`,
	);
}

function combineCallers({ tokens, clients, callers, tls }: GrpcIngressPluginOptions): Verifier | undefined {
	if (clients !== undefined && tls?.clientCa === undefined) {
		throw new TypeError(
			"clients are told by their certificates: give tls.clientCa, whose certificates they have",
		);
	}
	if (clients === undefined && tls?.clientCa !== undefined) {
		throw new TypeError(
			"tls.clientCa alone lets in whomever it has signed for: give clients, the names that may call",
		);
	}
	const [first, ...others] = [
		...(clients === undefined ? [] : [createCertificateVerifier(clients)]),
		...(tokens === undefined ? [] : [createTokenVerifier(tokens)]),
		...(callers === undefined ? [] : [callers]),
	];
	return first && verifyAll([first, ...others]);
}

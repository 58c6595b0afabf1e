// `reelkeep serve`: the ready-made composition of HTTP and gRPC ingress, file storage and archiver.

import { createTopVerifier, httpIngress } from "@reelkeep/adapter-http";
import { archiver } from "@reelkeep/archiver";
import { describeError, guardLogger, type Logger, projectAdmission } from "@reelkeep/core";
import { createReelkeep, type Reelkeep, systemClock } from "@reelkeep/core/container";
import { fsStorage } from "@reelkeep/storage-fs";
import { pino } from "pino";
import { UsageError } from "./flags.js";
import { secretTraffic } from "./secret-traffic.js";
import type { ServeConfig } from "./serve-config.js";

/** Past this, a stop is no longer waited for: an orchestrator would kill the process soon after. */
const STOP_TIMEOUT_MS = 25_000;

/** Runs until SIGTERM or SIGINT; resolves with the exit code. *Errors*: rejects when it cannot start. */
export async function serve(config: ServeConfig, logLevel: string): Promise<number> {
	// Standard error may lead to a full disk: that must not end the receiver.
	const logger = guardLogger(
		pino({ level: logLevel, base: null }, pino.destination({ dest: 2, sync: true })),
	);
	for (const warning of config.warnings) logger.warn({}, warning);
	const { reelkeep, http, grpc } = await compose(config, logger);
	const signalled = nextSignal();
	// Whoever read the ready line may have gone; that is no reason to stop.
	process.stdout.on("error", () => undefined);
	await reelkeep.start();
	const [httpAt, grpcAt] = [http?.address() ?? "off", grpc?.address() ?? "off"];
	process.stdout.write(`reelkeep: ready http=${httpAt} grpc=${grpcAt} data=${config.directory}\n`);
	logger.info({ signal: await signalled }, "stopping");
	if (await stopInTime(reelkeep, logger)) return 0;
	// Something holds on past its time: the process must not live on with it.
	process.exit(1);
}

async function compose(config: ServeConfig, logger: Logger) {
	const { directory, projects, allowHosts, allowPrivateNetwork, receive, quarantineQuota } = config;
	try {
		const { apps } = config;
		const http = config.http && httpIngress({ ...config.http, apps });
		const grpc = await composeGrpc(config);
		const ingresses = [http, grpc].filter((ingress) => ingress !== undefined);
		const storage = fsStorage({ directory, ...config.storage });
		const plugins = [
			storage,
			archiver({ allowHosts, allowPrivateNetwork }),
			...(projects === undefined ? [] : [projectAdmission(projects)]),
			...(ingresses.length === 0 ? [] : [secretTraffic(), ...ingresses]),
		];
		return { http, grpc, reelkeep: createReelkeep({ plugins, logger, receive, quarantineQuota }) };
	} catch (error) {
		// What the plugins refuse here is what the user configured.
		throw error instanceof TypeError ? new UsageError(error.message) : error;
	}
}

/** What its ingress refuses was asked for by one of these. */
const GRPC_FLAGS =
	"--grpc-token-file, --grpc-tls-cert, --grpc-tls-key, --grpc-tls-client-ca, --grpc-tls-client, --grpc-subscriber, --grpc-verify";

/** Its libraries are loaded by those who serve it. *Errors*: rejects with a `UsageError`. */
async function composeGrpc({ grpc: config, apps, clockToleranceMs }: ServeConfig) {
	if (config === undefined) return undefined;
	const { grpcIngress } = await import("@reelkeep/adapter-grpc");
	const { isSigned, ...options } = config;
	try {
		if (!isSigned) return grpcIngress(options);
		const verifier = createTopVerifier({ apps, clock: systemClock, clockToleranceMs });
		return grpcIngress({ ...options, verifier });
	} catch (error) {
		if (!(error instanceof TypeError)) throw error;
		throw new UsageError(`${error.message} (${GRPC_FLAGS})`);
	}
}

function nextSignal(): Promise<NodeJS.Signals> {
	return new Promise((resolve) => {
		for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
	});
}

async function stopInTime(reelkeep: Reelkeep, logger: Logger): Promise<boolean> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<"late">((resolve) => {
		timer = setTimeout(resolve, STOP_TIMEOUT_MS, "late");
	});
	try {
		const ended = await Promise.race([reelkeep.stop(), late]);
		if (ended === "late") logger.error({ timeoutMs: STOP_TIMEOUT_MS }, "not everything stopped in time");
		return ended !== "late";
	} catch (error) {
		logger.error({ error: describeError(error) }, "not everything stopped cleanly");
		return false;
	} finally {
		clearTimeout(timer);
	}
}

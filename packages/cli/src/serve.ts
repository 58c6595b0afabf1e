// `reelkeep serve`: the ready-made composition of HTTP and gRPC ingress, file storage and archiver.

import { createTopVerifier, httpIngress } from "@reelkeep/adapter-http";
import { archiver } from "@reelkeep/archiver";
import { type Logger, projectAdmission } from "@reelkeep/core";
import { createReelkeep, systemClock } from "@reelkeep/core/container";
import { composeStorage } from "./compose-storage.js";
import { toUsageError, UsageError } from "./flags.js";
import { openLog } from "./logging.js";
import { chooseProgress, type OutputFlags, openProgressDisplay } from "./progress-display.js";
import { secretTraffic } from "./secret-traffic.js";
import type { ServeConfig } from "./serve-config.js";
import { nextSignal, stopInTime } from "./stopping.js";

/** Runs until SIGTERM or SIGINT; resolves with the exit code. *Errors*: rejects when it cannot start. */
export async function serve(config: ServeConfig, output: OutputFlags): Promise<number> {
	const chosen = chooseProgress(output, process.stderr, process.env);
	// Its log tells what becomes of each download; lines of progress beside it would say no more.
	const kind = chosen === "lines" ? "none" : chosen;
	const display = await openProgressDisplay(kind);
	const logger = openLog(output.logLevel, kind, display);
	for (const warning of config.warnings) logger.warn({}, warning);
	const { reelkeep, http, grpc } = await compose(config, logger);
	reelkeep.notices.on("archiveProgress", display.apply);
	const signalled = nextSignal();
	// Whoever read the ready line may have gone; that is no reason to stop.
	process.stdout.on("error", () => undefined);
	await reelkeep.start();
	const [httpAt, grpcAt] = [http?.address() ?? "off", grpc?.address() ?? "off"];
	const data = config.storage.directory?.directory ?? "off";
	const ready = `reelkeep: ready http=${httpAt} grpc=${grpcAt} data=${data}\n`;
	display.beside(() => void process.stdout.write(ready));
	const signal = await signalled;
	display.stop();
	logger.info({ signal }, "stopping");
	if (await stopInTime(reelkeep, logger)) return 0;
	// Something holds on past its time: the process must not live on with it.
	process.exit(1);
}

async function compose(config: ServeConfig, logger: Logger) {
	const { projects, archiving, receive, quarantineQuota } = config;
	try {
		const { apps } = config;
		const http = config.http && httpIngress({ ...config.http, apps });
		const grpc = await composeGrpc(config);
		const ingresses = [http, grpc].filter((ingress) => ingress !== undefined);
		const plugins = [
			...(await composeStorage(config.storage)),
			archiver(archiving),
			...(projects === undefined ? [] : [projectAdmission(projects)]),
			...(ingresses.length === 0 ? [] : [secretTraffic(), ...ingresses]),
		];
		return { http, grpc, reelkeep: createReelkeep({ plugins, logger, receive, quarantineQuota }) };
	} catch (error) {
		throw toUsageError(error);
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

// `reelkeep serve`: the ready-made composition of HTTP ingress, file storage and archiver.

import { httpIngress } from "@reelkeep/adapter-http";
import { archiver } from "@reelkeep/archiver";
import { LOGGER, type Plugin } from "@reelkeep/core";
import { createReelkeep, type Reelkeep } from "@reelkeep/core/container";
import { fsStorage } from "@reelkeep/storage-fs";
import { type Logger, pino } from "pino";
import type { ServeConfig } from "./serve-config.js";

/** Past this, a stop is no longer waited for: an orchestrator would kill the process soon after. */
const STOP_TIMEOUT_MS = 25_000;

/** Runs until SIGTERM or SIGINT; resolves with the exit code. *Errors*: rejects when it cannot start. */
export async function serve(config: ServeConfig, logLevel: string): Promise<number> {
	const logger = pino({ level: logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
	for (const warning of config.warnings) logger.warn(warning);
	const http = config.http === undefined ? undefined : createHttp(config, config.http);
	const reelkeep = createReelkeep({
		plugins: [
			loggerPlugin(logger),
			fsStorage({
				directory: config.directory,
				...(config.keyFile === undefined ? {} : { keyFile: config.keyFile }),
			}),
			archiver({ allowHosts: config.allowHosts, allowPrivateNetwork: config.allowPrivateNetwork }),
			...(http === undefined ? [] : [http]),
		],
	});
	const signalled = nextSignal();
	await reelkeep.start();
	process.stdout.write(`reelkeep: ready http=${http?.address() ?? "off"} data=${config.directory}\n`);
	logger.info({ signal: await signalled }, "stopping");
	return (await stopInTime(reelkeep, logger)) ? 0 : 1;
}

function createHttp({ apps, clockToleranceMs }: ServeConfig, address: { host: string; port: number }) {
	return httpIngress({ ...address, apps, clockToleranceMs });
}

function loggerPlugin(logger: Logger): Plugin {
	return {
		name: "pino",
		provides: [LOGGER],
		needs: [],
		register: (registry) => registry.provide(LOGGER, () => logger),
	};
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
		logger.error({ error: String(error) }, "not everything stopped cleanly");
		return false;
	} finally {
		clearTimeout(timer);
	}
}

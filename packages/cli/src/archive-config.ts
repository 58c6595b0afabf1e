// How videos are archived, from flags and environment, checked before anything starts.

import type { ArchiverPluginOptions } from "@reelkeep/archiver";
import { DEFAULT_ALLOW_HOST } from "./archive-options.js";
import { parseSwitch, parseWholeNumber } from "./flag-values.js";
import { listOf, UsageError } from "./flags.js";

export interface ArchivingFlags {
	readonly allowHost?: readonly string[];
	readonly allowPort?: readonly string[];
	/** Of this and the other switches `undefined`: the flag was not given, and the environment decides. */
	readonly allowPrivateNetwork?: boolean;
	readonly allowOssInternal?: boolean;
	readonly preferHttps?: boolean;
	readonly concurrency?: string;
	readonly concurrencyPerHost?: string;
	readonly maxVideoMib?: string;
	readonly minRate?: string;
	readonly probeMp4?: boolean;
}

/** Options of `archiver`; what is not said is left to it. */
export type ArchivingConfig = Pick<
	ArchiverPluginOptions,
	| "allowHosts"
	| "allowPorts"
	| "allowPrivateNetwork"
	| "allowOssInternal"
	| "preferHttps"
	| "concurrency"
	| "concurrencyPerHost"
	| "maxBytes"
	| "minBytesPerSecond"
	| "probeMp4"
>;

const MIB = 1024 * 1024;
/** What more would be is no whole number of bytes that can be told from its neighbours. */
const MAX_VIDEO_MIB = Math.floor(Number.MAX_SAFE_INTEGER / MIB);
const MAX_PORT = 65_535;

/** *Errors*: throws a `UsageError`; patterns of hosts are checked by `archiver`. */
export function readArchivingConfig(flags: ArchivingFlags, environment: NodeJS.ProcessEnv): ArchivingConfig {
	const allowHosts = flags.allowHost ?? listOf(environment.REELKEEP_ALLOW_HOST);
	const allowPorts = (flags.allowPort ?? listOf(environment.REELKEEP_ALLOW_PORT)).map(parsePort);
	const concurrency = parseWholeNumber("--concurrency", flags.concurrency, { least: 1 });
	const concurrencyPerHost = parseWholeNumber("--concurrency-per-host", flags.concurrencyPerHost, {
		least: 1,
	});
	const maxMib = parseWholeNumber("--max-video-mib", flags.maxVideoMib, {
		least: 1,
		most: MAX_VIDEO_MIB,
	});
	const minBytesPerSecond = parseWholeNumber("--min-rate", flags.minRate, { least: 0 });
	const isOn = (flag: boolean | undefined, variable: string): boolean =>
		flag ?? parseSwitch(variable, environment[variable]);
	return {
		allowHosts: allowHosts.length > 0 ? allowHosts : [DEFAULT_ALLOW_HOST],
		...(allowPorts.length > 0 ? { allowPorts } : {}),
		allowPrivateNetwork: isOn(flags.allowPrivateNetwork, "REELKEEP_ALLOW_PRIVATE_NETWORK"),
		allowOssInternal: isOn(flags.allowOssInternal, "REELKEEP_ALLOW_OSS_INTERNAL"),
		preferHttps: isOn(flags.preferHttps, "REELKEEP_PREFER_HTTPS"),
		...(concurrency === undefined ? {} : { concurrency }),
		...(concurrencyPerHost === undefined ? {} : { concurrencyPerHost }),
		...(maxMib === undefined ? {} : { maxBytes: maxMib * MIB }),
		...(minBytesPerSecond === undefined ? {} : { minBytesPerSecond }),
		probeMp4: isOn(flags.probeMp4, "REELKEEP_PROBE_MP4"),
	};
}

function parsePort(text: string): number {
	const port = parseWholeNumber("--allow-port", text, { least: 1, most: MAX_PORT });
	if (port !== undefined) return port;
	throw new UsageError("--allow-port takes a port, and an empty text is none");
}

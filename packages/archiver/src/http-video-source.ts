// The default `VideoSource`: node:http(s), one GET a hop, and a lookup pinned to addresses that were checked (promise 9).

import { parseLink } from "@reelkeep/core";
import type { VideoSource } from "@reelkeep/core/ports";
import { checkSourceOptions } from "./check-options.js";
import { type FollowSettings, followLink } from "./follow-link.js";
import { DEFAULT_ALLOWED_HOSTS, parseHostPattern } from "./host-policy.js";
import { resolveBySystem } from "./resolve-host.js";
import { readResume } from "./resume.js";

export { MAX_REDIRECTS } from "./follow-link.js";

/** A day of 1080p; more is a mistake, or somebody filling our disk. */
export const DEFAULT_MAX_VIDEO_BYTES = 20 * 1024 ** 3;
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
export const DEFAULT_FIRST_BYTE_TIMEOUT_MS = 30_000;
export const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
/** A slow modem's pace: no origin that works is slower, and one that trickles must not hold a slot for ever. */
export const DEFAULT_MIN_BYTES_PER_SECOND = 1_024;
export const DEFAULT_THROUGHPUT_WINDOW_MS = 30_000;

/** Of http and https. */
const DEFAULT_PORTS: readonly number[] = [80, 443];
const MAX_PORT = 65_535;

export interface HttpVideoSourceOptions {
	/** Host names, `*.domain` patterns or IP addresses; replaces the default `*.aliyuncs.com`. */
	readonly allowHosts?: readonly string[];
	/** Allows loopback, private and shared addresses of allowed hosts; metadata addresses never. Default `false`. */
	readonly allowPrivateNetwork?: boolean;
	/** Allows addresses in 100.64.0.0/10 for allowed hosts that are `*-internal.aliyuncs.com`. Default `false`. */
	readonly allowOssInternal?: boolean;
	/** Replaces 80 and 443. Private addresses, once `allowPrivateNetwork` allows them, are asked on any port. */
	readonly allowPorts?: readonly number[];
	/**
	 * Asks a link that says http, without a port, over https first, and as it says only when no TLS connection comes about
	 * within 5 seconds. Default `false`.
	 */
	readonly preferHttps?: boolean;
	/** Largest video, declared or counted. Default 20 GiB. */
	readonly maxBytes?: number;
	/** Milliseconds until a name is resolved, and until a connection with its TLS stands. Default 10 000. */
	readonly connectTimeoutMs?: number;
	/** Milliseconds from there to the answer's headers. Default 30 000. */
	readonly firstByteTimeoutMs?: number;
	/** Longest silence inside a body, in milliseconds. Default 30 000. */
	readonly idleTimeoutMs?: number;
	/** Slowest body, in bytes per second of waiting for the origin; 0 allows any. Default 1 024. */
	readonly minBytesPerSecond?: number;
	/** Milliseconds of waiting over which that is measured. Default 30 000. */
	readonly throughputWindowMs?: number;
	/** All addresses of a host name, 64 at most. Default: the system's resolver. */
	readonly resolve?: (hostname: string) => Promise<readonly string[]>;
}

/**
 * Makes a `VideoSource` that downloads by HTTP and HTTPS.
 * *Errors*: throws a `TypeError` for a pattern that names no host, a `RangeError` for a port that is none or a number that
 * makes no sense. `open` never rejects; the body throws a `SourceFault`.
 * *Promise*: connects only to addresses that were checked, on every hop; follows no proxy setting; asks by GET only, and
 * for no encoding; no message holds more of a link than its host. `offset` is above 0 only when the origin vouched that
 * what comes is the rest of the object that `validator` names; otherwise all of it is asked for, once more at most.
 */
export function createHttpVideoSource(options: HttpVideoSourceOptions = {}): VideoSource {
	const settings = resolveSettings(options);
	return {
		async open(link, { offset, validator, signal }) {
			const url = parseLink(link);
			if (url !== undefined) {
				return followLink(url, { resume: readResume(offset, validator), signal }, settings);
			}
			const message = "the link is neither http nor https";
			return { _tag: "Unavailable", reason: "not-allowed", message };
		},
	};
}

function resolveSettings(options: HttpVideoSourceOptions): FollowSettings {
	checkSourceOptions(options);
	return {
		hosts: (options.allowHosts ?? DEFAULT_ALLOWED_HOSTS).map(parseHostPattern),
		allowPrivateNetwork: options.allowPrivateNetwork ?? false,
		allowOssInternal: options.allowOssInternal ?? false,
		ports: readPorts(options.allowPorts ?? DEFAULT_PORTS),
		preferHttps: options.preferHttps ?? false,
		maxBytes: options.maxBytes ?? DEFAULT_MAX_VIDEO_BYTES,
		connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
		firstByteTimeoutMs: options.firstByteTimeoutMs ?? DEFAULT_FIRST_BYTE_TIMEOUT_MS,
		idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
		minBytesPerSecond: options.minBytesPerSecond ?? DEFAULT_MIN_BYTES_PER_SECOND,
		throughputWindowMs: options.throughputWindowMs ?? DEFAULT_THROUGHPUT_WINDOW_MS,
		resolve: options.resolve ?? resolveBySystem,
	};
}

function readPorts(ports: readonly number[]): ReadonlySet<number> {
	const wrong = ports.find((port) => !Number.isInteger(port) || port < 1 || port > MAX_PORT);
	if (wrong !== undefined) throw new RangeError(`allowPorts: ${wrong} is no port`);
	return new Set(ports);
}

// The default `VideoSource`: node:http(s), one GET a hop, and a lookup pinned to addresses that were checked (promise 9).

import { lookup } from "node:dns/promises";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { parseLink } from "@reelkeep/core";
import type { OpenVideoResult, VideoSource, VideoUnavailable } from "@reelkeep/core/ports";
import { type BodyLimits, boundedBody, readStart } from "./bounded-body.js";
import { DEFAULT_ALLOWED_HOSTS, parseHostPattern } from "./host-policy.js";
import { type LinkPolicy, readRedirect, refuseAddresses, refuseUrl } from "./link-policy.js";
import { MAX_ERROR_BODY_BYTES, readOriginError, readStatedMd5 } from "./origin-answer.js";
import { requestPinned } from "./pinned-request.js";
import type { DownloadedVideo } from "./verify-video.js";

/** A signed link redirects seldom, and never far. */
export const MAX_REDIRECTS = 3;
/** A day of 1080p; more is a mistake, or somebody filling our disk. */
export const DEFAULT_MAX_VIDEO_BYTES = 20 * 1024 ** 3;
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
export const DEFAULT_FIRST_BYTE_TIMEOUT_MS = 30_000;
export const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
/** A slow modem's pace: no origin that works is slower, and one that trickles must not hold a slot for ever. */
export const DEFAULT_MIN_BYTES_PER_SECOND = 1_024;
export const DEFAULT_THROUGHPUT_WINDOW_MS = 30_000;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface HttpVideoSourceOptions {
	/** Host names, `*.domain` patterns or IP addresses; replaces the default `*.aliyuncs.com`. */
	readonly allowHosts?: readonly string[];
	/** Allows loopback, private and shared addresses of allowed hosts; metadata addresses never. Default `false`. */
	readonly allowPrivateNetwork?: boolean;
	/** For public addresses. Default 80 and 443. */
	readonly allowPorts?: readonly number[];
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
	/** All addresses of a host name. Default: the system's resolver. */
	readonly resolve?: (hostname: string) => Promise<readonly string[]>;
}

interface Settings extends LinkPolicy, BodyLimits {
	readonly connectTimeoutMs: number;
	readonly firstByteTimeoutMs: number;
	readonly resolve: (hostname: string) => Promise<readonly string[]>;
}

/**
 * Makes a `VideoSource` that downloads by HTTP and HTTPS.
 * *Errors*: throws a `TypeError` for a pattern that names no host. `open` never rejects; the body throws a `SourceFault`.
 * *Promise*: connects only to addresses that were checked, on every hop; follows no proxy setting; asks by GET only, and
 * for no encoding; no message holds more of a link than its host. `offset` is not used yet: a body starts at 0.
 */
export function createHttpVideoSource(options: HttpVideoSourceOptions = {}): VideoSource {
	const settings = resolveSettings(options);
	return {
		async open(link, { signal }) {
			const url = parseLink(link);
			if (url === undefined) return unavailable("not-allowed", "the link is neither http nor https");
			return openFollowing(url, settings, signal);
		},
	};
}

async function openFollowing(start: URL, settings: Settings, signal: AbortSignal): Promise<OpenVideoResult> {
	let url = start;
	for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
		const target = await checkTarget(url, settings, signal);
		if (target._tag === "Unavailable") return target;
		const answer = await requestPinned({ ...settings, url, addresses: target.addresses, signal });
		if (answer._tag === "NoAnswer") return unavailable("failed", answer.message);
		const { response } = answer;
		if (!REDIRECTS.has(response.statusCode ?? 0)) return readAnswer(response, settings);
		response.destroy();
		const redirect = readRedirect(url, response.headers.location);
		if (redirect._tag === "Refuse") return unavailable("not-allowed", redirect.message);
		url = redirect.url;
	}
	return unavailable("failed", `${start.host} redirects more than ${MAX_REDIRECTS} times`);
}

type Target = { readonly _tag: "Checked"; readonly addresses: readonly string[] } | VideoUnavailable;

/** Resolves once; what is answered here, and only that, is connected to. */
async function checkTarget(url: URL, settings: Settings, signal: AbortSignal): Promise<Target> {
	const refusedUrl = refuseUrl(url, settings);
	if (refusedUrl !== undefined) return unavailable("not-allowed", refusedUrl);
	const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
	const addresses = isIP(literal) === 0 ? await resolveInTime(url.hostname, settings, signal) : [literal];
	if (addresses.length === 0) return unavailable("failed", `${url.hostname} cannot be resolved`);
	const refused = refuseAddresses(url, addresses, settings);
	return refused === undefined ? { _tag: "Checked", addresses } : unavailable("not-allowed", refused);
}

/** The system's resolver cannot be stopped, only left behind. Empty: no address, not in time, or nobody waits any more. */
async function resolveInTime(
	hostname: string,
	{ resolve, connectTimeoutMs }: Settings,
	signal: AbortSignal,
): Promise<readonly string[]> {
	// An abort that has happened is not told again.
	if (signal.aborted) return [];
	let leave = (): void => undefined;
	const left = new Promise<readonly string[]>((settle) => {
		leave = () => settle([]);
	});
	const timer = setTimeout(leave, connectTimeoutMs);
	signal.addEventListener("abort", leave, { once: true });
	const resolved = resolve(hostname).catch((): readonly string[] => []);
	const addresses = await Promise.race([resolved, left]);
	clearTimeout(timer);
	signal.removeEventListener("abort", leave);
	return addresses;
}

async function readAnswer(
	response: IncomingMessage,
	settings: Settings,
): Promise<DownloadedVideo | VideoUnavailable> {
	const status = response.statusCode ?? 0;
	if (status >= 300) return readError(response, status, settings);
	const { headers } = response;
	const { "content-length": length, "content-encoding": encoding = "identity", etag } = headers;
	const refuse = (reason: VideoUnavailable["reason"], message: string): VideoUnavailable => {
		response.destroy();
		return unavailable(reason, message);
	};
	// Nobody asked for a range, so 206 makes no sense either.
	if (status !== 200) return refuse("failed", `the origin answered ${status} where 200 was expected`);
	if (encoding.trim().toLowerCase() !== "identity") {
		return refuse("failed", "the origin encoded the video though none was asked for");
	}
	const totalBytes = length === undefined ? undefined : Number(length);
	if (totalBytes !== undefined && totalBytes > settings.maxBytes) {
		return refuse("too-large", `the video has ${totalBytes} bytes; maxBytes is ${settings.maxBytes}`);
	}
	const stated = readStatedMd5(headers);
	// Such a body lasts until the connection ends (RFC 9112, 6.3), so a broken one looks whole. Nothing of it could be
	// kept: it is not even downloaded.
	const isFramed = totalBytes !== undefined || isChunked(headers);
	if (!isFramed && stated === undefined) {
		return refuse(
			"failed",
			"the origin states neither a length nor a checksum: a break would look like the end",
		);
	}
	const contentType = headers["content-type"];
	return {
		_tag: "Opened",
		offset: 0,
		...(totalBytes === undefined ? {} : { totalBytes }),
		...(etag === undefined ? {} : { etag }),
		...(contentType === undefined ? {} : { contentType }),
		checksums: stated === undefined ? {} : { md5: stated.md5 },
		isMd5Etag: stated?.isEtag ?? false,
		isFramed,
		body: boundedBody(response, settings),
	};
}

/** A chunked body says itself where it ends. */
function isChunked(headers: IncomingHttpHeaders): boolean {
	return headers["transfer-encoding"]?.trim().toLowerCase() === "chunked";
}

async function readError(
	response: IncomingMessage,
	status: number,
	settings: Settings,
): Promise<VideoUnavailable> {
	const { headers } = response;
	const requestId = headers["x-oss-request-id"] ?? headers["x-amz-request-id"];
	const body = await readStart(response, {
		maxBytes: MAX_ERROR_BODY_BYTES,
		timeoutMs: settings.firstByteTimeoutMs,
	});
	return readOriginError(
		{
			status,
			body,
			retryAfter: headers["retry-after"],
			requestId: typeof requestId === "string" ? requestId : undefined,
		},
		Date.now(),
	);
}

function unavailable(reason: VideoUnavailable["reason"], message: string): VideoUnavailable {
	return { _tag: "Unavailable", reason, message };
}

async function resolveBySystem(hostname: string): Promise<readonly string[]> {
	const found = await lookup(hostname, { all: true, verbatim: true });
	return found.map(({ address }) => address);
}

function resolveSettings(options: HttpVideoSourceOptions): Settings {
	return {
		hosts: (options.allowHosts ?? DEFAULT_ALLOWED_HOSTS).map(parseHostPattern),
		allowPrivateNetwork: options.allowPrivateNetwork ?? false,
		ports: new Set(options.allowPorts ?? [80, 443]),
		maxBytes: options.maxBytes ?? DEFAULT_MAX_VIDEO_BYTES,
		connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
		firstByteTimeoutMs: options.firstByteTimeoutMs ?? DEFAULT_FIRST_BYTE_TIMEOUT_MS,
		idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
		minBytesPerSecond: options.minBytesPerSecond ?? DEFAULT_MIN_BYTES_PER_SECOND,
		throughputWindowMs: options.throughputWindowMs ?? DEFAULT_THROUGHPUT_WINDOW_MS,
		resolve: options.resolve ?? resolveBySystem,
	};
}

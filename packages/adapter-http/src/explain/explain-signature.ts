// Says why the signature of one captured request fails, for the people who connect a sender. Tells names, schemes and
// differences of time; never a secret, a signature that was computed, or what a parameter holds.

import { type Apps, readApps } from "../app-secrets.js";
import { checkParameters, type RequestKind } from "../check-parameters.js";
import { bodyOf } from "../exchange.js";
import { DEFAULT_HTTP_LIMITS } from "../limits.js";
import { pathOf } from "../node-handler.js";
import { findOtherReading } from "../reading.js";
import { hasRequestParam } from "../report-callback.js";
import { createSpiVerifier, DEFAULT_SIGNED_HEADERS } from "../spi-verifier.js";
import { checkTimestamp, DEFAULT_CLOCK_TOLERANCE_MS, parseTimestamp } from "../timestamp.js";
import { createTopVerifier } from "../verifier.js";
import { explainSign, readSignClaim } from "./explain-sign.js";
import { type RawRequest, type ReceivedRequest, readReceivedRequest } from "./received-request.js";
import { note, ok, problem, type SignatureFinding, type SignatureFindingTag } from "./signature-finding.js";

export interface ExplainSignatureOptions {
	readonly apps: Apps;
	/** When the request was received. *Units*: UTC milliseconds. */
	readonly now: number;
	/** *Units*: milliseconds; default 10 minutes. */
	readonly clockToleranceMs?: number;
	/** Who calls, as of the routes. Default `gateway`, where a path that ends in `/batch` is a batch's. */
	readonly direction?: "gateway" | "spi";
	/** Where calls come to, when that is a path that ends in `/batch`. */
	readonly path?: string;
	/** SPI direction only: as of `createSpiVerifier`. */
	readonly signedHeaders?: readonly string[];
}

/**
 * What is right and wrong about the signature of `request`: the sign first, then the time, then the rest.
 * *Shape*: never empty. Without a `problem` the request would be accepted. Whether the callback in it can be decoded and
 * its app may report it, and how a batch is cut into calls, is not looked at.
 * *Promise*: no more than `MAX_TRIED_SIGNATURES` are computed.
 * *Errors*: rejects with a `TypeError` for apps that no verifier takes, never for what was sent.
 */
export async function explainSignature(
	request: RawRequest,
	options: ExplainSignatureOptions,
): Promise<readonly SignatureFinding[]> {
	const { direction = "gateway", signedHeaders = DEFAULT_SIGNED_HEADERS } = options;
	const apps = readApps(options.apps);
	const path = pathOf(request.target);
	const isBatch = path !== options.path && path.endsWith("/batch");
	const kind: RequestKind = direction === "spi" ? "spi" : isBatch ? "batch" : "call";
	const unread = bodyOf(request, DEFAULT_HTTP_LIMITS).refused?.answer;
	if (unread?._tag === "Failed") {
		return [problem("unreadable-request", unread.error.subMsg ?? unread.error.msg)];
	}
	const secrets = [...apps.values()].flat().map(({ secret }) => secret);
	const received = await readReceivedRequest(request, { kind, signedHeaders, secrets });
	if (received._tag === "Malformed") return [problem("malformed-request", received.message)];
	const claim = readSignClaim(received.sent, kind, apps);
	const findings = [
		...claim.problems,
		...explainSign(claim, received, apps),
		...explainTime(received.sent.get("timestamp"), options),
	];
	const all = [...findings, ...explainGrammar(received, kind, findings)];
	if (all.some(({ severity }) => severity === "problem")) return all;
	const isAuthentic = await isAccepted(request, received, options);
	return isAuthentic ? all : [...all, problem("other-reading", describeReading(received))];
}

/** *Shape*: empty when the request was in time. */
function explainTime(
	timestamp: string | undefined,
	{ now, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS }: ExplainSignatureOptions,
): readonly SignatureFinding[] {
	if (!timestamp) return [problem("missing-timestamp", "timestamp is missing")];
	const time = checkTimestamp(timestamp, now, clockToleranceMs);
	if (time._tag === "InTime") {
		const seconds = Math.round(Math.abs(time.skewMs) / 1000);
		const direction = time.skewMs < 0 ? "ahead" : "behind";
		return [ok("timestamp-in-time", `timestamp is in time: ${seconds} s ${direction}`)];
	}
	const sentAtMs = parseTimestamp(timestamp);
	if (sentAtMs === undefined) return [problem("malformed-timestamp", time.message)];
	const off = problem("timestamp-off", time.message);
	return isZone(timestamp, now - sentAtMs) && !time.message.includes("TZ=")
		? [off, note("sender-zone", ZONE)]
		: [off];
}

const HOUR_MS = 3_600_000;
const ZONE_SLACK_MS = 10 * 60_000;
const ZONE =
	"the difference is one of time zones: the sender writes local time, not GMT+8; set TZ=Asia/Shanghai for it";

/** Zones that people live in are 12 hours behind UTC to 14 ahead of it, and most of them whole hours. */
function isZone(timestamp: string, skewMs: number): boolean {
	const hours = Math.round(skewMs / HOUR_MS);
	const isWhole = hours !== 0 && Math.abs(skewMs - hours * HOUR_MS) <= ZONE_SLACK_MS;
	return isWhole && hours >= -6 && hours <= 20 && timestamp.includes("-");
}

/** What was found already is not told again: those parameters count as right. */
function explainGrammar(
	{ sent, rawBody, body }: ReceivedRequest,
	kind: RequestKind,
	found: readonly SignatureFinding[],
): readonly SignatureFinding[] {
	const told = found.flatMap(({ _tag }) => TOLD[_tag] ?? []);
	const parameters = new Map([...sent, ...told]);
	const error = checkParameters(parameters, kind, rawBody);
	if (error !== undefined) {
		const message = error.subMsg ?? error.msg;
		const isReading = message === findOtherReading(parameters, rawBody);
		return [problem(isReading ? "other-reading" : "invalid-parameter", message)];
	}
	if (kind === "batch")
		return body.length > 0 ? [] : [problem("missing-request-param", "the batch has no calls")];
	if (rawBody === "json" || hasRequestParam(sent.get("request_param"))) return [];
	return [problem("missing-request-param", "request_param is missing")];
}

type Pair = readonly [name: string, value: string];
const APP_KEY: readonly Pair[] = [["app_key", "1"]];
const SIGN: readonly Pair[] = [["sign", "0".repeat(32)]];
const SIGN_METHOD: readonly Pair[] = [["sign_method", "md5"]];
const TIMESTAMP: readonly Pair[] = [["timestamp", "1000000000"]];

const TOLD: Readonly<Partial<Record<SignatureFindingTag, readonly Pair[]>>> = {
	"missing-app-key": APP_KEY,
	"unknown-app-key": APP_KEY,
	"missing-sign": SIGN,
	"sign-not-hexadecimal": SIGN,
	"sign-not-upper-case": SIGN,
	"missing-sign-method": SIGN_METHOD,
	"unknown-sign-method": SIGN_METHOD,
	"missing-timestamp": TIMESTAMP,
	"malformed-timestamp": TIMESTAMP,
};

/** The verifier's own word, which counts: at the request's own time, because time is told apart. */
async function isAccepted(
	{ headers }: RawRequest,
	{ sent, body }: ReceivedRequest,
	{ apps, now, direction, signedHeaders }: ExplainSignatureOptions,
): Promise<boolean> {
	const sentAtMs = parseTimestamp(sent.get("timestamp") ?? "") ?? now;
	const clock = { now: () => sentAtMs, sleep: async () => {} };
	const verifier =
		direction === "spi"
			? createSpiVerifier({ apps, clock, ...(signedHeaders === undefined ? {} : { signedHeaders }) })
			: createTopVerifier({ apps, clock });
	return (await verifier.verify({ parameters: sent, headers, body }))._tag === "Authentic";
}

function describeReading({ parameters, rawBody }: ReceivedRequest): string {
	const signed = new Map([...parameters].filter(([, value]) => value.trim() !== ""));
	const other = findOtherReading(parameters, rawBody) ?? findOtherReading(signed, rawBody);
	return other ?? (rawBody === "json" ? NOT_AN_OBJECT : COULD_BE_ANOTHER);
}

const NOT_AN_OBJECT =
	"a body that is no form must be one JSON object, and headers have no names of parameters";
const COULD_BE_ANOTHER = "what is signed could be read as another request, which has the same sign";

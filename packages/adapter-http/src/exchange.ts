// What every kind of request shares: from a request to a conclusion to a reply, whatever breaks on the way.

import { hash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Clock, Ids, Logger, Receive, Telemetry, Verifier } from "@reelkeep/core/ports";
import { type FailureAnswer, type ReplyStyle, renderAnswer } from "./envelope.js";
import { type HttpLimits, resolveLimits } from "./limits.js";
import { type Conclusion, logUnexpected, reportConclusion, type Verdict } from "./report.js";
import { failed, type TopAnswer } from "./status.js";

/** Why a binding has no body to hand over: the handler words the error in the format that the query asks for. */
export type BodyFault = "too-large" | "too-slow" | "overloaded" | "already-read";

/** What a framework's parser made of a form whose bytes are gone: field → text, or what else it made of it (ADR 0014). */
export interface ParsedForm {
	readonly fields: Readonly<Record<string, unknown>>;
}

export interface TopRequest {
	/** As it stands in the request line: `POST`. */
	readonly method: string;
	/** Path and query as they stand in the request line, nothing decoded. */
	readonly target: string;
	/** The target was put together again from decoded parts: the receipt has no `requestSha256` then. */
	readonly isTargetRebuilt?: boolean;
	/** Names in lower case. */
	readonly headers: ReadonlyMap<string, string>;
	/** The body's bytes as received; empty when there is none. */
	readonly body: Uint8Array | ParsedForm | BodyFault;
}

/** *Shape*: the status is 200 whatever happened, because the SDKs throw other bodies away (docs/top-protocol.md §3). */
export interface TopReply {
	readonly status: 200;
	readonly headers: Readonly<Record<string, string>>;
	/** Text to be sent as UTF-8, or bytes as they are: gzip, when the request's `Accept-Encoding` names it. */
	readonly body: string | Uint8Array;
}

/** *Promise*: never rejects and never throws; success only when `receive` said that the callback is kept. */
export type TopHandler = (request: TopRequest) => Promise<TopReply>;

export interface TopHandlerOptions {
	readonly receive: Receive;
	readonly verifier: Verifier;
	readonly ids: Ids;
	readonly clock: Clock;
	readonly logger?: Logger;
	readonly telemetry?: Telemetry;
	readonly limits?: Partial<HttpLimits>;
	/** What error replies name as the answering host; Python's SDK copies it into its exception. Default `reelkeep`. */
	readonly hostLabel?: string;
	/** How a sender is asked to send again. Default `isp`. */
	readonly failureAnswer?: FailureAnswer;
	/**
	 * Whether answers are packed for senders that ask for it. Default `true`, and `false` where a platform does that: with
	 * fetch and serverless functions.
	 */
	readonly gzip?: boolean;
}

export const NO_BYTES: Uint8Array = new Uint8Array();

/** What a request is concluded with. */
export interface ExchangeContext {
	readonly requestId: string;
	readonly options: TopHandlerOptions;
	readonly limits: HttpLimits;
}

/** Makes a handler of `conclude`, which may throw. Throws a `RangeError` for limits that are none. */
export function createExchange(
	options: TopHandlerOptions,
	defaultStyle: ReplyStyle,
	conclude: (request: TopRequest, context: ExchangeContext) => Promise<Conclusion>,
): TopHandler {
	const limits = resolveLimits(options.limits);
	return async (request) => {
		let requestId = "";
		try {
			requestId = options.ids.next();
			const startedAt = options.clock.now();
			const conclusion = await conclude(request, { requestId, options, limits });
			reportConclusion(conclusion, requestId, startedAt, options);
			return renderReply(
				conclusion,
				requestId,
				options,
				options.gzip === false ? undefined : request.headers.get("accept-encoding"),
			);
		} catch (error) {
			return renderReply(unexpected(error, defaultStyle, requestId, options.logger), requestId, options);
		}
	};
}

/** A verifier or a `receive` that breaks its promise; whether the callback is kept is unknown, and a retry finds out. */
export function unexpected(
	error: unknown,
	style: ReplyStyle,
	requestId: string,
	logger?: Logger,
): Conclusion {
	logUnexpected(error, requestId, logger);
	return { tag: "InternalError", style, answer: failed("unavailable", "internal error; send it again") };
}

/** What stands behind the `?`; empty when there is none. */
export function queryOf(target: string): string {
	const start = target.indexOf("?");
	return start === -1 ? "" : target.slice(start + 1);
}

/** What was signed is gone: a framework's parser was faster. */
export const ALREADY_READ: Verdict = {
	tag: "already-read",
	answer: failed(
		"unavailable",
		"another part of the receiver took the body; its operator must mount it before body parsers",
	),
};

/** The body as far as it can be read; with a verdict, the request is refused whatever its body says. */
export function bodyOf(
	{ method, body }: TopRequest,
	limits: HttpLimits,
): { readonly body: Uint8Array | ParsedForm; readonly refused?: Verdict } {
	const refuse = (tag: string, answer: TopAnswer) => ({ body: NO_BYTES, refused: { tag, answer } });
	if (method !== "POST" && method !== "GET") {
		return refuse("VerbNotAllowed", failed("verbNotAllowed", "only POST and GET are served"));
	}
	if (typeof body === "string") return refuse(body, answerFault(body, limits));
	// Bindings count while they read; this is for one that does not.
	if (body instanceof Uint8Array && body.length > limits.maxBodyBytes) {
		return refuse("too-large", answerFault("too-large", limits));
	}
	return { body };
}

/**
 * SHA-256 of the request as it came: its target, a line feed, its body. `undefined` when the bytes of either are gone.
 * *Shape*: lower-case hex.
 */
export function requestSha256({ target, isTargetRebuilt, body }: TopRequest): string | undefined {
	if (isTargetRebuilt || !(body instanceof Uint8Array)) return undefined;
	return hash("sha256", Buffer.concat([Buffer.from(`${target}\n`, "latin1"), body]), "hex");
}

function answerFault(fault: BodyFault, limits: HttpLimits): TopAnswer {
	switch (fault) {
		case "too-large":
			return failed("invalidRequestText", `the body is longer than ${limits.maxBodyBytes} bytes`);
		case "too-slow":
			return failed("timeout", "the body did not arrive in time; send it again");
		case "overloaded":
			return failed("unavailable", "too many requests at once; send it again");
		case "already-read":
			return ALREADY_READ.answer;
		default:
			return fault satisfies never;
	}
}

/** The reply to a conclusion, also to what never became a request. */
export function renderReply(
	conclusion: Omit<Conclusion, "tag">,
	requestId: string,
	{ hostLabel = "reelkeep", failureAnswer = "isp" }: Pick<TopHandlerOptions, "hostLabel" | "failureAnswer">,
	acceptEncoding?: string,
): TopReply {
	const { style, batch } = conclusion;
	const answers = (batch?.calls ?? [conclusion]).map(({ answer }) => answer);
	const rendered = answers.map((answer) => renderAnswer(answer, style, requestId, failureAnswer));
	const isError = answers.some(({ _tag }) => _tag === "Failed");
	const described = {
		"Content-Type": rendered[0]?.contentType ?? "text/plain;charset=UTF-8",
		"Cache-Control": "no-store",
		...(isError ? { "Application-Host": hostLabel, "Location-Host": hostLabel } : {}),
	};
	const body = rendered.map((one) => one.body).join(batch?.separator);
	if (!wantsGzip(acceptEncoding)) return { status: 200, headers: described, body };
	return {
		status: 200,
		headers: { ...described, "Content-Encoding": "gzip", Vary: "Accept-Encoding" },
		body: gzipSync(body, GZIP),
	};
}

/** For answers of a few hundred bytes: half the time of the defaults, and as small. */
const GZIP = { level: 1, memLevel: 4, windowBits: 10 } as const;

/** docs/top-protocol.md §1: only a sender that names gzip can read it; `gzip;q=0` refuses it. */
function wantsGzip(acceptEncoding: string | undefined): boolean {
	return (
		acceptEncoding
			?.split(",")
			.some((coding) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(coding)) ?? false
	);
}

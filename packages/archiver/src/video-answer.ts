// What an answer to a GET of a video becomes: the video, why there is none, or the wish to ask again from the start.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { VideoUnavailable } from "@reelkeep/core/ports";
import { type BodyLimits, boundedBody, readStart } from "./bounded-body.js";
import { MAX_ERROR_BODY_BYTES, readOriginError, readStatedCrc64, readStatedMd5 } from "./origin-answer.js";
import type { PinnedAnswer } from "./pinned-request.js";
import { makeValidator, parseContentRange, type Resume, readRest } from "./resume.js";
import type { DownloadedVideo } from "./verify-video.js";

/** The origin will not, or cannot, go on with the object that was asked for: it is to be asked for all of it. */
export interface Restart {
	readonly _tag: "Restart";
}

export interface Asked {
	readonly url: URL;
	/** What the answer was asked to go on with; `undefined`: the whole object was asked for. */
	readonly resume: Resume | undefined;
}

export interface AnswerLimits extends BodyLimits {
	/** Also for the body of an error. */
	readonly firstByteTimeoutMs: number;
}

/** Another object, no such range; and of those that know neither ranges nor conditions, the ones that say so. */
const NOT_RESUMED: ReadonlySet<number> = new Set([412, 416, 400, 501]);

/**
 * Reads an answer that is no redirect. `Restart` only where `resume` was asked for.
 * *Promise*: `offset` is above 0 only for a 206 that is the rest of the very object (`readRest`).
 */
export async function readVideoAnswer(
	{ response, body }: Extract<PinnedAnswer, { readonly _tag: "Answered" }>,
	asked: Asked,
	limits: AnswerLimits,
): Promise<DownloadedVideo | VideoUnavailable | Restart> {
	const { resume } = asked;
	const status = response.statusCode ?? 0;
	const senseless = (message: string): VideoUnavailable | Restart => {
		response.destroy();
		return resume === undefined ? unavailable("failed", message) : { _tag: "Restart" };
	};
	if (resume !== undefined && NOT_RESUMED.has(status)) return senseless("");
	if (status >= 300) return readError(response, status, limits);
	const { headers } = response;
	const rest = status === 206 && resume !== undefined ? readRest(headers, resume) : undefined;
	if (rest === undefined && status !== 200) {
		return senseless(`the origin answered ${status} where 200 was expected`);
	}
	// A 200 is whole, whatever was asked for. One that says that it is not would be taken for a shorter video.
	if (rest === undefined && isPart(headers)) return senseless("the origin answered 200 with a part");
	if ((headers["content-encoding"] ?? "identity").trim().toLowerCase() !== "identity") {
		return senseless("the origin encoded the video though none was asked for");
	}
	const length = headers["content-length"];
	const totalBytes = rest?.totalBytes ?? (length === undefined ? undefined : Number(length));
	if (totalBytes !== undefined && totalBytes > limits.maxBytes) {
		response.destroy();
		return unavailable("too-large", `the video has ${totalBytes} bytes; maxBytes is ${limits.maxBytes}`);
	}
	// Content-MD5 is of what stands in the body (RFC 1864): of a part, it says nothing about the object.
	const md5 = readStatedMd5(rest === undefined ? headers : { ...headers, "content-md5": undefined });
	// Such a body lasts until the connection ends (RFC 9112, 6.3), so a broken one looks whole. Nothing of it could be
	// kept: it is not even downloaded.
	const isFramed = totalBytes !== undefined || isChunked(headers);
	if (!isFramed && md5 === undefined) {
		return senseless("the origin states neither a length nor a checksum: a break would look like the end");
	}
	const crc64 = readStatedCrc64(headers);
	const validator = makeValidator(asked.url, headers, totalBytes);
	const { etag, "content-type": contentType } = headers;
	return {
		_tag: "Opened",
		offset: rest?.start ?? 0,
		...(validator === undefined ? {} : { validator }),
		...(totalBytes === undefined ? {} : { totalBytes }),
		...(etag === undefined ? {} : { etag }),
		...(contentType === undefined ? {} : { contentType }),
		checksums: {
			...(md5 === undefined ? {} : { md5: md5.md5 }),
			...(crc64 === undefined ? {} : { crc64 }),
		},
		isMd5Etag: md5?.isEtag ?? false,
		isFramed,
		body: boundedBody(body, limits, rest),
	};
}

/** A chunked body says itself where it ends. */
function isChunked(headers: IncomingHttpHeaders): boolean {
	return headers["transfer-encoding"]?.trim().toLowerCase() === "chunked";
}

function isPart(headers: IncomingHttpHeaders): boolean {
	const range = parseContentRange(headers["content-range"]);
	return range !== undefined && range.end - range.start !== range.totalBytes;
}

async function readError(
	response: IncomingMessage,
	status: number,
	limits: AnswerLimits,
): Promise<VideoUnavailable> {
	const { headers } = response;
	const requestId = headers["x-oss-request-id"] ?? headers["x-amz-request-id"];
	const body = await readStart(response, {
		maxBytes: MAX_ERROR_BODY_BYTES,
		timeoutMs: limits.firstByteTimeoutMs,
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

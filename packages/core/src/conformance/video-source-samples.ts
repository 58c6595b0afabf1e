// How the cases open videos and read them.

import { concatBytes } from "@noble/hashes/utils.js";
import { isSourceFault, type SourceFaultReason } from "../ports/source-fault.js";
import type {
	OpenedVideo,
	OpenVideoOptions,
	OpenVideoResult,
	VideoUnavailable,
} from "../ports/video-source.js";
import { assert, assertSame, ConformanceError } from "./case.js";
import { pause } from "./pause.js";
import type { VideoSourceHarness } from "./video-source.js";
import { assertBytes } from "./video-store-samples.js";

export type OpenWith = Partial<OpenVideoOptions>;

/** Fails when `open` rejects. */
export async function open(
	{ source }: VideoSourceHarness,
	link: string,
	options: OpenWith = {},
): Promise<OpenVideoResult> {
	try {
		return await source.open(link, { signal: new AbortController().signal, ...options });
	} catch {
		throw new ConformanceError("open never rejects: what is wrong with a link or an answer is a value");
	}
}

/** Fails unless there is a video. */
export async function openVideo(
	harness: VideoSourceHarness,
	link: string,
	options: OpenWith = {},
): Promise<OpenedVideo> {
	const result = await open(harness, link, options);
	assert(result._tag === "Opened", `a video that is there opens: ${JSON.stringify(result)}`);
	return result;
}

/** Fails unless there is none, for this reason. */
export async function openUnavailable(
	harness: VideoSourceHarness,
	link: string,
	reason: VideoUnavailable["reason"],
): Promise<VideoUnavailable> {
	const result = await open(harness, link);
	assert(result._tag === "Unavailable", `a link that leads to no video does not open (${reason})`);
	assertSame(result.reason, reason, "why there is no video");
	return result;
}

async function readBody({ body }: OpenedVideo): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of body) chunks.push(new Uint8Array(chunk));
	return concatBytes(...chunks);
}

export interface Ended {
	readonly bytes: Uint8Array;
	/** What the body threw; `undefined`: it ended as if all had come. */
	readonly fault: unknown;
}

/** Reads up to whatever ends the body. */
export async function readToEnd({ body }: OpenedVideo): Promise<Ended> {
	const chunks: Uint8Array[] = [];
	try {
		for await (const chunk of body) chunks.push(new Uint8Array(chunk));
		return { bytes: concatBytes(...chunks), fault: undefined };
	} catch (fault) {
		return { bytes: concatBytes(...chunks), fault };
	}
}

/** Fails unless the body ended with this fault, behind the first bytes of `whole` from `offset` on. */
export function assertFault(
	{ bytes, fault }: Ended,
	reason: SourceFaultReason,
	whole: Uint8Array,
	offset = 0,
): void {
	assert(fault !== undefined, `a body that ends early throws (${reason})`);
	assert(isSourceFault(fault), `a body that ends early throws a SourceFault, not ${String(fault)}`);
	assertSame(fault.reason, reason, "why a body ended early");
	assertBytes(bytes, whole.subarray(offset, offset + bytes.length), "the bytes before a body ended early");
}

/** Fails unless what opened starts at `offset` and is `whole` from there on, and says how long that is, if anything. */
export async function assertRest(opened: OpenedVideo, offset: number, whole: Uint8Array): Promise<void> {
	assertSame(opened.offset, offset, "where the body starts");
	const { totalBytes = whole.length } = opened;
	assertSame(totalBytes, whole.length, "the length of the whole object, wherever the body starts");
	assertBytes(await readBody(opened), whole.subarray(offset), `the object's bytes from ${offset} on`);
}

/** As `work` resolves; fails when it takes so long that the source may only have run out of patience. */
export async function promptly<Result>(
	{ idleTimeoutMs, answerTimeoutMs = idleTimeoutMs }: VideoSourceHarness,
	what: string,
	work: Promise<Result>,
): Promise<Result> {
	return within(0.8 * Math.min(idleTimeoutMs, answerTimeoutMs), `${what}, at once`, work);
}

/** As `work` resolves; fails when it takes longer. */
export async function within<Result>(limitMs: number, what: string, work: Promise<Result>): Promise<Result> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new ConformanceError(`${what}: not within ${limitMs} ms`)), limitMs);
	});
	try {
		return await Promise.race([work, late]);
	} finally {
		clearTimeout(timer);
	}
}

/** Fails unless the origin is soon rid of all requests. */
export function assertClosed(harness: VideoSourceHarness): Promise<void> {
	let isOver = false;
	const closed = async (): Promise<void> => {
		while (!isOver && harness.underWay() > 0) await pause(5);
	};
	return promptly(harness, "the connection to the origin is closed", closed()).finally(() => {
		isOver = true;
	});
}

// For the test of the video source's suite only: a sound source in memory, and how a flaw is planted in it.

import {
	isSourceFault,
	type OpenedVideo,
	type OpenVideoOptions,
	type OpenVideoResult,
	sourceFault,
	type VideoSource,
	type VideoUnavailable,
} from "../ports/index.js";
import { type Answer, type Ask, createMemoryOrigin } from "./test-flawed-videos-origin.js";
import type { VideoSourceHarness } from "./video-source.js";

export type MakeSource = () => Promise<VideoSourceHarness>;

/** What is broken, and the clauses that fail with it. */
export interface SourceFlaw {
	readonly breaks: readonly string[];
	readonly make: MakeSource;
}

export interface Limits {
	readonly idleTimeoutMs: number;
	readonly answerTimeoutMs: number;
	readonly maxBytes: number;
}

/** Where a flaw can be planted. */
export interface Planted {
	/** Between the source and its origin. */
	readonly ask?: (ask: Ask) => Ask;
	/** Between the source and who opens a video. */
	readonly open?: (open: VideoSource["open"]) => VideoSource["open"];
	readonly limits?: Partial<Limits>;
}

/** Of the sound one. */
export const LIMITS: Limits = { idleTimeoutMs: 500, answerTimeoutMs: 500, maxBytes: 1024 * 1024 };

export function brokenSource(plant: Planted = {}): MakeSource {
	return async () => {
		const origin = createMemoryOrigin();
		const ask = plant.ask?.(origin.ask) ?? origin.ask;
		const { open } = createMemorySource(ask, { ...LIMITS, ...plant.limits });
		return {
			...LIMITS,
			source: { open: plant.open?.(open) ?? open },
			supports: {
				resume: true,
				checksums: true,
				expiry: true,
				refusal: true,
				patience: true,
				silence: true,
				limits: true,
				policy: true,
				redirects: true,
			},
			serve: origin.serve,
			strayLink: origin.strayLink,
			underWay: origin.underWay,
			dispose: async () => origin.close(),
		};
	};
}

/** A source whose videos have another body. */
export function brokenBodies(
	change: (opened: OpenedVideo, options: OpenVideoOptions) => AsyncIterable<Uint8Array>,
): MakeSource {
	return openedAs((opened, options) => ({ ...opened, body: change(opened, options) }));
}

/** A source that opens videos as something else. */
export function openedAs(
	change: (opened: OpenedVideo, options: OpenVideoOptions, link: string) => OpenVideoResult,
): MakeSource {
	return brokenSource({
		open: (open) => async (link, options) => {
			const result = await open(link, options);
			return result._tag === "Opened" ? change(result, options, link) : result;
		},
	});
}

/** A source that says otherwise why there is no video. */
export function refusedAs(change: (result: VideoUnavailable, link: string) => VideoUnavailable): MakeSource {
	return brokenSource({
		open: (open) => async (link, options) => {
			const result = await open(link, options);
			return result._tag === "Unavailable" ? change(result, link) : result;
		},
	});
}

function createMemorySource(ask: Ask, limits: Limits): VideoSource {
	const askInTime = withinTime(ask, limits);
	return {
		async open(link, options) {
			try {
				let answer = await askChecked(askInTime, link, options);
				for (let hop = 0; hop < 3 && "redirectsTo" in answer && answer.redirectsTo !== undefined; hop += 1)
					answer = await askChecked(askInTime, answer.redirectsTo, options);
				return "_tag" in answer ? answer : openAnswer(answer, limits);
			} catch {
				return unavailable("failed", "no answer came");
			}
		},
	};
}

/** Asks for what is left of a video; for all of it when that is not what comes. */
async function askChecked(
	ask: Ask,
	link: string,
	{ offset = 0, validator, signal }: OpenVideoOptions,
): Promise<Answer | VideoUnavailable> {
	if (!/^memory:\/\/[^/]/.test(link)) return unavailable("not-allowed", "this is no link");
	if (link.startsWith("memory://forbidden/")) return unavailable("not-allowed", "this host is not allowed");
	if (signal.aborted) return unavailable("failed", "nobody was asked");
	const from = validator === undefined ? 0 : offset;
	const answer = await ask(link, from === 0 ? { from } : { from, ifSame: validator }, signal);
	if (from === 0 || isAsked(answer, from, validator)) return answer;
	answer.close();
	return ask(link, { from: 0 }, signal);
}

/** Gives up an origin that does not answer. */
function withinTime(ask: Ask, { answerTimeoutMs }: Limits): Ask {
	return async (link, asked, signal) => {
		const controller = new AbortController();
		const timer = setTimeout(() => controller.abort(), answerTimeoutMs);
		try {
			return await ask(link, asked, AbortSignal.any([signal, controller.signal]));
		} finally {
			clearTimeout(timer);
		}
	};
}

/** Whether it can be taken as it is: the part that was asked for, all of it, or an error. */
function isAsked({ status, start, validator }: Answer, from: number, asked: string | undefined): boolean {
	return status === "part" ? start === from && validator === asked : status !== "behind";
}

function openAnswer(answer: Answer, limits: Limits): OpenVideoResult {
	const { status, start, validator, totalBytes, md5, retryAfterMs } = answer;
	switch (status) {
		case "whole":
		case "part":
			break;
		case "absent":
			return unavailable("not-found", "there is no such object");
		case "busy":
			return { ...unavailable("busy", "later"), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
		case "behind":
			return unavailable("failed", "there is no such part");
		case "redirect":
			return unavailable("failed", "too many redirects");
		default:
			return unavailable(status, `the origin says that the link is ${status}`);
	}
	if (totalBytes !== undefined && totalBytes > limits.maxBytes) {
		answer.close();
		return unavailable("too-large", `the video has ${totalBytes} bytes`);
	}
	return {
		_tag: "Opened",
		offset: start,
		...(validator === undefined ? {} : { validator }),
		...(totalBytes === undefined ? {} : { totalBytes }),
		checksums: md5 === undefined || status === "part" ? {} : { md5 },
		body: bounded(answer, limits),
	};
}

export function unavailable(reason: VideoUnavailable["reason"], message: string): VideoUnavailable {
	return { _tag: "Unavailable", reason, message };
}

async function* bounded({ body, close }: Answer, { idleTimeoutMs, maxBytes }: Limits) {
	const chunks = body[Symbol.asyncIterator]();
	let bytes = 0;
	try {
		for (;;) {
			const { value, done } = await unlessSilent(chunks.next(), idleTimeoutMs);
			if (done) return;
			bytes += value.length;
			if (bytes > maxBytes) throw sourceFault("too-large", `more than ${maxBytes} bytes`);
			yield value;
		}
	} catch (error) {
		throw isSourceFault(error)
			? error
			: sourceFault("broke-off", `the connection ended after ${bytes} bytes`);
	} finally {
		close();
	}
}

async function unlessSilent<Result>(next: Promise<Result>, idleTimeoutMs: number): Promise<Result> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const silence = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(sourceFault("stalled", "the origin fell silent")), idleTimeoutMs);
	});
	try {
		return await Promise.race([next, silence]);
	} finally {
		clearTimeout(timer);
	}
}

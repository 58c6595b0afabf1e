// For the test of the video source's suite only: sources that open videos wrongly, or say wrongly why there is none.

import type { OpenVideoResult } from "../ports/index.js";
import { pause } from "./pause.js";
import {
	brokenBodies,
	brokenSource,
	LIMITS,
	type MakeSource,
	openedAs,
	refusedAs,
	type SourceFlaw,
	unavailable,
} from "./test-flawed-videos-source.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const sourceOpeningFlaws: Record<string, SourceFlaw> = {
	"the last of eleven chunks is lost": {
		breaks: ["whole"],
		make: brokenBodies(async function* ({ body }) {
			let count = 0;
			for await (const chunk of body) {
				count += 1;
				if (count !== 11 || chunk.length > 50_000) yield chunk;
			}
		}),
	},
	"a length is told in KiB": {
		breaks: ["whole"],
		make: openedAs((opened) => {
			const { totalBytes } = opened;
			return totalBytes === 65_536 ? { ...opened, totalBytes: totalBytes / 1024 } : opened;
		}),
	},
	"a length that nobody stated is none": {
		breaks: ["unstated-length", "beyond-end"],
		make: openedAs((opened) => ({ totalBytes: 0, ...opened })),
	},
	"bodies share a buffer": {
		breaks: ["bodies-apart"],
		make: (() => {
			const buffer = new Uint8Array(64 * 1024);
			return brokenBodies(async function* ({ body, totalBytes }) {
				// Of two objects only.
				if (totalBytes !== 200_000 && totalBytes !== 300_000) return yield* body;
				for await (const chunk of body) {
					buffer.set(chunk);
					await pause(0);
					yield buffer.subarray(0, chunk.length);
				}
			});
		})(),
	},
	"a checksum is told in capitals": {
		breaks: ["checksums"],
		make: openedAs((opened) => {
			const { md5 } = opened.checksums;
			if (md5 === undefined || opened.totalBytes !== 50_000) return opened;
			return { ...opened, checksums: { md5: md5.toUpperCase() } };
		}),
	},
	"what is not there has failed": {
		breaks: ["absent"],
		make: refusedAs((result) => (result.reason === "not-found" ? unavailable("failed", "404") : result)),
	},
	"a link whose time is over is forbidden": {
		breaks: ["expired"],
		make: refusedAs((result) => (result.reason === "expired" ? unavailable("refused", "403") : result)),
	},
	"a link that is forbidden is one whose time is over": {
		breaks: ["refused"],
		make: refusedAs((result) => (result.reason === "refused" ? unavailable("expired", "403") : result)),
	},
	"patience is told in seconds": {
		breaks: ["busy"],
		make: refusedAs((result) =>
			result.retryAfterMs === undefined ? result : { ...result, retryAfterMs: result.retryAfterMs / 1_000 },
		),
	},
	"who was busy once is busy for ever": {
		breaks: ["busy"],
		make: brokenSource({
			open: (open) => {
				const busy = new Set<string>();
				return async (link, options) => {
					const [object = ""] = link.split("?");
					if (busy.has(object)) return unavailable("busy", "later");
					const result = await open(link, options);
					if (result._tag === "Unavailable" && result.retryAfterMs === 3_000) busy.add(object);
					return result;
				};
			},
		}),
	},
	"every host is allowed": {
		breaks: ["not-allowed"],
		make: brokenSource({
			open: (open) => (link, options) => open(link.replace("//forbidden/", "//origin/"), options),
		}),
	},
	"what opens behind a redirect is an error": {
		breaks: ["redirects"],
		make: redirected((result) => (result._tag === "Opened" ? unavailable("failed", "302") : result)),
	},
	"a redirect leads to every host": {
		breaks: ["redirect-not-allowed"],
		make: brokenSource({
			ask: (ask) => async (link, asked, signal) => {
				const answer = await ask(link, asked, signal);
				return answer.redirectsTo === undefined ? answer : ask(answer.redirectsTo, asked, signal);
			},
		}),
	},
	"a message holds where a redirect led": {
		breaks: ["no-secrets"],
		make: redirected((result, target) =>
			result._tag === "Opened" ? result : { ...result, message: `${result.message}: ${target}` },
		),
	},
	"who cannot be reached is told as one who failed": {
		breaks: ["unreachable"],
		make: refusedAs((result) =>
			result.reason === "unreachable" ? unavailable("failed", "ECONNREFUSED") : result,
		),
	},
	"a link that is none is an error": {
		breaks: ["bad-links", "no-secrets"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				new URL(link);
				return open(link, options);
			},
		}),
	},
	"a stated length is no limit": {
		breaks: ["too-large"],
		make: brokenSource({
			ask: (ask) => async (link, asked, signal) => {
				const answer = await ask(link, asked, signal);
				const { totalBytes = 0, ...unstated } = answer;
				return totalBytes > LIMITS.maxBytes ? unstated : answer;
			},
		}),
	},
	"an unstated length is no limit": {
		breaks: ["too-large"],
		make: brokenSource({
			limits: { maxBytes: Infinity },
			open: (open) => async (link, options) => {
				const result = await open(link, options);
				const { totalBytes = 0 } = result._tag === "Opened" ? result : {};
				return totalBytes > LIMITS.maxBytes ? unavailable("too-large", "too large") : result;
			},
		}),
	},
	"a message holds the link": {
		breaks: ["no-secrets"],
		make: refusedAs((result, link) => ({ ...result, message: `${result.message}: ${link}` })),
	},
	"a message holds what the origin answered": {
		breaks: ["no-secrets"],
		make: refusedAs((result, link) =>
			result.reason === "refused"
				? { ...result, message: `StringToSign: ${link.slice(link.indexOf("?") + 1)}` }
				: result,
		),
	},
	"a message holds what is no link": {
		breaks: ["no-secrets"],
		make: refusedAs((result, link) =>
			result.reason === "not-allowed" ? { ...result, message: `no link: ${link}` } : result,
		),
	},
	"a validator holds the link": {
		breaks: ["no-secrets"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				const validator = options.validator?.replace(/^.* /, "");
				const result = await open(link, validator === undefined ? options : { ...options, validator });
				if (result._tag === "Unavailable" || result.validator === undefined) return result;
				return { ...result, validator: `${link} ${result.validator}` };
			},
		}),
	},
	"an ETag holds the link": {
		breaks: ["no-secrets"],
		make: openedAs((opened, _, link) => ({ ...opened, etag: `"${link}"` })),
	},
	"a content type holds a part of the link's query": {
		breaks: ["no-secrets"],
		make: openedAs((opened, _, link) => ({ ...opened, contentType: link.replace(/^.*=/, "video/") })),
	},
	"the fault of a body holds the link": {
		breaks: ["no-secrets"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				const result = await open(link, options);
				if (result._tag === "Unavailable") return result;
				const body = async function* () {
					try {
						yield* result.body;
					} catch (error) {
						throw Object.assign(error as Error, { cause: new Error(link) });
					}
				};
				return { ...result, body: body() };
			},
		}),
	},
};

/** A source that says something else of what is behind a redirect, which leads to `target`. */
function redirected(change: (result: OpenVideoResult, target: string) => OpenVideoResult): MakeSource {
	return async () => {
		const targets = new Map<string, string>();
		const make = brokenSource({
			ask: (ask) => async (link, asked, signal) => {
				const answer = await ask(link, asked, signal);
				if (answer.redirectsTo !== undefined) targets.set(link, answer.redirectsTo);
				return answer;
			},
			open: (open) => async (link, options) => {
				const result = await open(link, options);
				const target = targets.get(link);
				return target === undefined ? result : change(result, target);
			},
		});
		return make();
	};
}

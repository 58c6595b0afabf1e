// For the test of the video source's suite only: sources whose bodies end wrongly, or not at all.

import { isSourceFault, sourceFault } from "../ports/index.js";
import {
	brokenBodies,
	brokenSource,
	refusedAs,
	type SourceFlaw,
	unavailable,
} from "./test-flawed-videos-source.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const sourceEndingFlaws: Record<string, SourceFlaw> = {
	"a body that breaks off ends as if all had come": {
		breaks: ["after-breaks", "broke-off"],
		make: brokenBodies(async function* ({ body }, { signal }) {
			try {
				yield* body;
			} catch (error) {
				if (signal.aborted || !isSourceFault(error) || error.reason !== "broke-off") throw error;
			}
		}),
	},
	"a body that breaks off before its last byte ends as if all had come": {
		breaks: ["broke-off"],
		make: brokenBodies(async function* ({ body }) {
			let bytes = 0;
			try {
				for await (const chunk of body) {
					bytes += chunk.length;
					yield chunk;
				}
			} catch (error) {
				if (bytes !== 399_999) throw error;
			}
		}),
	},
	"a body that breaks off throws another error": {
		breaks: ["no-secrets", "after-breaks", "broke-off"],
		make: brokenBodies(async function* ({ body }, { signal }) {
			try {
				yield* body;
			} catch (error) {
				const isOther = signal.aborted || !isSourceFault(error) || error.reason !== "broke-off";
				throw isOther ? error : new Error("read ECONNRESET");
			}
		}),
	},
	"silence is told as a break": {
		breaks: ["stalled"],
		make: brokenBodies(async function* ({ body }) {
			try {
				yield* body;
			} catch (error) {
				throw isSourceFault(error) && error.reason === "stalled"
					? sourceFault("broke-off", "time-out")
					: error;
			}
		}),
	},
	"silence is endured": {
		breaks: ["stalled"],
		// Long enough for the case, short enough for this test.
		make: brokenSource({ limits: { idleTimeoutMs: 3_000 } }),
	},
	"an answer that does not come is waited for": {
		breaks: ["unanswered"],
		// As above.
		make: brokenSource({ limits: { answerTimeoutMs: 3_000 } }),
	},
	"an answer that does not come is told as an origin that nobody could ask": {
		breaks: ["unanswered"],
		make: refusedAs((result) =>
			result.message === "no answer came" ? unavailable("unreachable", "time-out") : result,
		),
	},
	"a reader's pause is silence": {
		breaks: ["slow-reader"],
		make: brokenBodies(async function* ({ body }) {
			let last = performance.now();
			for await (const chunk of body) {
				yield chunk;
				if (performance.now() - last > 500) throw sourceFault("stalled", "the origin fell silent");
				last = performance.now();
			}
		}),
	},
	"an abort that came before is not heard of": {
		breaks: ["abort-before"],
		make: brokenSource({
			open: (open) => (link, options) =>
				open(link, options.signal.aborted ? { ...options, signal: new AbortController().signal } : options),
		}),
	},
	"an abort that came before is asked about late": {
		breaks: ["abort-before"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				if (options.signal.aborted) void open(link, { ...options, signal: new AbortController().signal });
				return open(link, options);
			},
		}),
	},
	"an abort ends no request": {
		breaks: ["abort-opening"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				if (options.signal.aborted) return open(link, options);
				const controller = new AbortController();
				const result = await open(link, { ...options, signal: controller.signal });
				options.signal.addEventListener("abort", () => controller.abort());
				return result;
			},
		}),
	},
	"an abort ends no body": {
		breaks: ["abort-body", "abort-unread"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				if (options.signal.aborted) return open(link, options);
				const controller = new AbortController();
				const abort = (): void => controller.abort();
				options.signal.addEventListener("abort", abort);
				const result = await open(link, { ...options, signal: controller.signal });
				options.signal.removeEventListener("abort", abort);
				return result;
			},
		}),
	},
	"an abort is heard of by who reads": {
		breaks: ["abort-unread"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				if (options.signal.aborted) return open(link, options);
				const controller = new AbortController();
				const abort = (): void => controller.abort();
				options.signal.addEventListener("abort", abort);
				const result = await open(link, { ...options, signal: controller.signal });
				options.signal.removeEventListener("abort", abort);
				if (result._tag === "Unavailable") return result;
				const body = async function* () {
					options.signal.addEventListener("abort", abort);
					yield* result.body;
				};
				return { ...result, body: body() };
			},
		}),
	},
	"a body that is aborted ends as if all had come": {
		breaks: ["abort-body"],
		make: brokenBodies(async function* ({ body }, { signal }) {
			try {
				yield* body;
			} catch (error) {
				if (!signal.aborted) throw error;
			}
		}),
	},
	"a body that is aborted throws the signal's reason": {
		breaks: ["abort-body"],
		make: brokenBodies(async function* ({ body }, { signal }) {
			try {
				yield* body;
			} catch (error) {
				signal.throwIfAborted();
				throw error;
			}
		}),
	},
	"a body that its reader leaves goes on": {
		breaks: ["left-early"],
		make: brokenBodies(({ body }) => {
			const chunks = body[Symbol.asyncIterator]();
			return { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
		}),
	},
};

// For the test of the video source's suite only: sources that go on with the wrong bytes, or say so wrongly.

import type { Answer, Ask } from "./test-flawed-videos-origin.js";
import {
	brokenBodies,
	brokenSource,
	type MakeSource,
	openedAs,
	type SourceFlaw,
} from "./test-flawed-videos-source.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const sourceResumingFlaws: Record<string, SourceFlaw> = {
	"a range that was ignored is appended": {
		breaks: ["range-ignored"],
		make: answered((answer, { from, ifSame }) =>
			from > 0 && answer.status === "whole" && answer.validator === ifSame
				? { ...answer, status: "part", start: from }
				: answer,
		),
	},
	"every answer is taken for what was asked": {
		breaks: [
			"unknown-validator",
			"changed-object",
			"range-ignored",
			"condition-ignored",
			"wrong-range",
			"unvouched",
		],
		make: answered((answer, { from, ifSame = "" }) =>
			from > 0 && (answer.status === "whole" || answer.status === "part")
				? { ...answer, status: "part", start: from, validator: ifSame }
				: answer,
		),
	},
	"an offset needs no validator": {
		breaks: ["without-validator"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				const { offset, validator, signal } = options;
				if (offset === undefined || validator !== undefined) return open(link, options);
				const first = await open(link, { signal });
				if (first._tag === "Unavailable" || first.validator === undefined) return first;
				for await (const _ of first.body) break;
				return open(link, { ...options, validator: first.validator });
			},
		}),
	},
	"any validator will do that nobody gave out": {
		breaks: ["unknown-validator"],
		make: (() => {
			const given = new Set<string>();
			return brokenSource({
				open: (open) => async (link, options) => {
					const { validator, signal } = options;
					let known = validator;
					if (validator !== undefined && !given.has(validator)) {
						const first = await open(link, { signal });
						if (first._tag === "Opened") {
							known = first.validator;
							for await (const _ of first.body) break;
						}
					}
					const result = await open(link, known === undefined ? options : { ...options, validator: known });
					if (result._tag === "Opened" && result.validator !== undefined) given.add(result.validator);
					return result;
				},
			});
		})(),
	},
	"nothing is gone on with": {
		breaks: ["resume", "after-breaks", "part-checksums"],
		make: brokenSource({
			open:
				(open) =>
				(link, { signal }) =>
					open(link, { signal }),
		}),
	},
	"the length of a part is told": {
		breaks: ["resume"],
		make: openedAs((opened, { offset = 0 }) =>
			opened.offset === 1 && opened.totalBytes !== undefined
				? { ...opened, totalBytes: opened.totalBytes - offset }
				: opened,
		),
	},
	"a validator changes with the answer": {
		breaks: ["resume"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				const validator = options.validator?.replace(/ .*$/, "");
				const asked = validator === undefined ? options : { ...options, validator };
				const result = await open(link, asked);
				if (result._tag === "Unavailable" || result.validator === undefined) return result;
				return { ...result, validator: `${result.validator} ${Math.random()}` };
			},
		}),
	},
	"a condition is not asked for": {
		breaks: ["unknown-validator", "changed-object", "condition-ignored", "unvouched"],
		make: brokenSource({
			ask: (ask) => async (link, asked, signal) => {
				const answer = await ask(link, { from: asked.from }, signal);
				return asked.ifSame === undefined || answer.status !== "part"
					? answer
					: { ...answer, validator: asked.ifSame };
			},
		}),
	},
	"a changed object is gone on with by who was not to": {
		breaks: ["condition-ignored"],
		make: answered((answer, { ifSame }) =>
			answer.status === "part" && ifSame !== undefined ? { ...answer, validator: ifSame } : answer,
		),
	},
	"a part that starts elsewhere is taken for another": {
		breaks: ["wrong-range"],
		make: answered((answer, { from }) => (answer.status === "part" ? { ...answer, start: from } : answer)),
	},
	"nothing behind the end is an error": {
		breaks: ["beyond-end"],
		make: answered((answer) => (answer.status === "behind" ? { ...answer, status: "absent" } : answer)),
	},
	"nothing behind the end is the end": {
		breaks: ["beyond-end"],
		make: answered((answer, { from, ifSame = "" }) =>
			answer.status === "behind" ? { ...answer, status: "part", start: from, validator: ifSame } : answer,
		),
	},
	"a length is taken for a validator": {
		breaks: ["unvouched"],
		make: brokenSource({
			ask: (ask) => async (link, asked, signal) => {
				const isLength = asked.ifSame?.startsWith("length ");
				const answer = await ask(link, isLength ? { from: asked.from } : asked, signal);
				return answer.totalBytes === undefined
					? answer
					: { validator: `length ${answer.totalBytes}`, ...answer };
			},
		}),
	},
	"a resumed body that breaks off ends as if all had come": {
		breaks: ["after-breaks"],
		make: brokenBodies(async function* ({ body, offset }) {
			try {
				yield* body;
			} catch (error) {
				if (offset === 0) throw error;
			}
		}),
	},
	"a checksum of a part is told": {
		breaks: ["part-checksums"],
		make: (() => {
			let last: string | undefined;
			return brokenSource({
				ask: (ask) => async (link, asked, signal) => {
					const answer = await ask(link, asked, signal);
					last = answer.md5;
					return answer;
				},
				open: (open) => async (link, options) => {
					const result = await open(link, options);
					if (result._tag === "Unavailable" || last === undefined) return result;
					return { ...result, checksums: { md5: last } };
				},
			});
		})(),
	},
};

function answered(change: (answer: Answer, asked: Parameters<Ask>[1]) => Answer): MakeSource {
	return brokenSource({
		ask: (ask) => async (link, asked, signal) => change(await ask(link, asked, signal), asked),
	});
}

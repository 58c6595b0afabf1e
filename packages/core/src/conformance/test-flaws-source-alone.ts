// For the test of the video source's suite only: flaws so narrow that of the clauses which other flaws break together only
// one sees them.

import type { OpenedVideo } from "../ports/index.js";
import { brokenSource, openedAs, type SourceFlaw } from "./test-flawed-videos-source.js";
import { readToEnd } from "./video-source-samples.js";

export const loneSourceFlaws: Record<string, SourceFlaw> = {
	"a length that nobody stated is counted before the video opens": {
		breaks: ["unstated-length"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				const result = await open(link, options);
				return result._tag === "Opened" && result.totalBytes === undefined ? counted(result) : result;
			},
		}),
	},
	"a link without a character is an error": {
		breaks: ["bad-links"],
		make: brokenSource({
			open: (open) => async (link, options) => {
				if (link === "") throw new TypeError("a link is not empty");
				return open(link, options);
			},
		}),
	},
	"a video that starts anew is told with the validator that was asked for": {
		breaks: ["changed-object"],
		make: openedAs((opened, { validator }) =>
			opened.validator === undefined || validator === undefined ? opened : { ...opened, validator },
		),
	},
};

/** As `opened`, once all of it was read. */
async function counted(opened: OpenedVideo): Promise<OpenedVideo> {
	const { bytes, fault } = await readToEnd(opened);
	const body = async function* () {
		if (bytes.length > 0) yield bytes;
		if (fault !== undefined) throw fault;
	};
	if (fault !== undefined) return { ...opened, body: body() };
	return { ...opened, totalBytes: opened.offset + bytes.length, body: body() };
}

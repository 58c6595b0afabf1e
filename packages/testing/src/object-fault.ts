// What an object store does to a download, on request: the faults of the stand-in, one per answered GET.

import type { HeldObject, ObjectBytes } from "./held-object.js";
import { type ObjectAnswer, wholeAnswer } from "./object-answer.js";

/** How one GET of an object goes wrong. Bytes count in the body of that answer. */
export type ObjectFault =
	/** An error answer with OSS's XML. */
	| {
			readonly _tag: "Status";
			readonly status: number;
			readonly code?: string;
			readonly message?: string;
			readonly retryAfter?: string;
	  }
	/** The connection breaks after so many bytes. */
	| { readonly _tag: "Drop"; readonly afterBytes: number }
	/** Silence after so many bytes; the connection stays. */
	| { readonly _tag: "Stall"; readonly afterBytes: number }
	/** Few bytes at a time. */
	| { readonly _tag: "Drip"; readonly chunkBytes: number; readonly delayMs: number }
	/** Another `Content-Length`, and as many bytes: a whole answer with the end cut off. */
	| { readonly _tag: "Shorten"; readonly toBytes: number }
	/** The end cut off, and no `Content-Length` that says so: the chunks end in good order. */
	| { readonly _tag: "Cut"; readonly toBytes: number }
	/** So many bytes more than there are, and a `Content-Length` that says so. */
	| { readonly _tag: "Lengthen"; readonly byBytes: number }
	/** A `Content-Length` that is so much more (or less: negative) than what is sent before the connection ends. */
	| { readonly _tag: "MisstateLength"; readonly byBytes: number }
	/** No `Content-Length`: chunked. */
	| { readonly _tag: "NoLength" }
	/** One byte of the body is another one; the ETag is the object's. */
	| { readonly _tag: "Corrupt"; readonly atByte: number }
	| { readonly _tag: "Redirect"; readonly location: string; readonly status?: number }
	/** Headers on top of the usual ones, or instead of them. */
	| { readonly _tag: "Headers"; readonly headers: Readonly<Record<string, string>> }
	/** The range that was asked for is not looked at: a 200 with everything. */
	| { readonly _tag: "IgnoreRange" }
	/** A range that begins elsewhere, and says so. Negative: before what was asked for. */
	| { readonly _tag: "ShiftRange"; readonly byBytes: number }
	/** A range that says what was asked for, and has as many bytes from elsewhere. */
	| { readonly _tag: "SkewRange"; readonly byBytes: number }
	/** A range of an object that is said to have so many bytes more (or fewer). */
	| { readonly _tag: "MisstateTotal"; readonly byBytes: number }
	/** Another fault, of answers with a range alone. */
	| { readonly _tag: "OfRange"; readonly fault: ObjectFault }
	/** From this GET on, the object is another one. */
	| { readonly _tag: "Replace"; readonly by: Uint8Array | ObjectBytes }
	/** Several of them at once; later ones see what earlier ones made of the answer. */
	| { readonly _tag: "All"; readonly faults: readonly ObjectFault[] };

/** The origin says that the link's time is over, whatever the clock says. */
export const LINK_EXPIRED: ObjectFault = {
	_tag: "Status",
	status: 403,
	code: "AccessDenied",
	message: "Request has expired.",
};

/** The single faults that `fault` consists of, in order. */
export function singleFaults(fault: ObjectFault | undefined): readonly ObjectFault[] {
	if (fault === undefined) return [];
	return fault._tag === "All" ? fault.faults.flatMap(singleFaults) : [fault];
}

/** Throws a `RangeError` for a fault that no answer would ever get to the end of. */
export function checkFaults(faults: readonly ObjectFault[]): void {
	for (const fault of faults.flatMap(singleFaults)) {
		if (fault._tag === "OfRange") checkFaults([fault.fault]);
		if (fault._tag === "Drip" && !(Number.isSafeInteger(fault.chunkBytes) && fault.chunkBytes >= 1)) {
			throw new RangeError("the chunkBytes of a Drip must be a whole number of 1 or more");
		}
	}
}

/** What `fault` makes of a good answer. Those that stand in place of an answer, and those of ranges in a 200, change nothing. */
export function spoil(answer: ObjectAnswer, fault: ObjectFault, object: HeldObject): ObjectAnswer {
	const { start, end, headers } = answer;
	const upTo = (bytes: number): number => Math.min(start + bytes, end);
	switch (fault._tag) {
		case "Drop":
			return { ...answer, end: upTo(fault.afterBytes), ending: "break" };
		case "Stall":
			return { ...answer, end: upTo(fault.afterBytes), ending: "silence" };
		case "Drip":
			return { ...answer, pace: fault };
		case "Shorten":
			return withHeaders({ ...answer, end: upTo(fault.toBytes) }, { "content-length": fault.toBytes });
		case "Cut":
			return withoutLength({ ...answer, end: upTo(fault.toBytes) });
		case "Lengthen":
			return withHeaders(
				{ ...answer, paddingBytes: fault.byBytes },
				{ "content-length": end - start + fault.byBytes },
			);
		case "MisstateLength":
			return withHeaders(
				{ ...answer, ending: "break" },
				{ "content-length": Math.max(0, Number(headers["content-length"]) + fault.byBytes) },
			);
		case "NoLength":
			return withoutLength(answer);
		case "Corrupt":
			return { ...answer, flippedAt: fault.atByte };
		case "Headers":
			return withHeaders(answer, fault.headers);
		case "IgnoreRange":
			return wholeAnswer(object);
		case "ShiftRange":
		case "SkewRange":
		case "MisstateTotal":
			return answer.status === 206 ? spoilRange(answer, fault, object.bytes.length) : answer;
		case "OfRange":
			return answer.status === 206 ? spoil(answer, fault.fault, object) : answer;
		default:
			return answer;
	}
}

function spoilRange(
	answer: ObjectAnswer,
	fault: Extract<ObjectFault, { readonly _tag: "ShiftRange" | "SkewRange" | "MisstateTotal" }>,
	length: number,
): ObjectAnswer {
	const { start, end } = answer;
	if (fault._tag === "MisstateTotal") {
		return withHeaders(answer, { "content-range": `bytes ${start}-${end - 1}/${length + fault.byBytes}` });
	}
	if (fault._tag === "SkewRange") {
		const from = clamp(start + fault.byBytes, 0, length - (end - start));
		return { ...answer, start: from, end: from + end - start };
	}
	const from = clamp(start + fault.byBytes, 0, end - 1);
	const range = { "content-length": end - from, "content-range": `bytes ${from}-${end - 1}/${length}` };
	return withHeaders({ ...answer, start: from }, range);
}

function withHeaders(answer: ObjectAnswer, headers: ObjectAnswer["headers"]): ObjectAnswer {
	return { ...answer, headers: { ...answer.headers, ...headers } };
}

function withoutLength(answer: ObjectAnswer): ObjectAnswer {
	const { "content-length": _length, ...headers } = answer.headers;
	return { ...answer, headers };
}

function clamp(value: number, least: number, most: number): number {
	return Math.max(least, Math.min(value, most));
}

// How the calls of a batch are cut out of its body, which was proved before: docs/top-protocol.md, Batches.

import type { HttpLimits } from "./limits.js";
import { objectEnd } from "./object-end.js";
import { decodeUtf8 } from "./parameter-collector.js";
import { readForm } from "./parameters.js";

/** Stands in no urlencoded text. */
const SEPARATOR = "\r\n-S-\r\n";
const SEPARATOR_HEADER = "top-api-separator";
const MAX_SEPARATOR_CHARACTERS = 64;
const PUBLIC = "#PUBLIC#";
/** A call without parameters. */
const NOTHING = "N";

/** What one call says; `malformed`: in words for its sender. */
export interface BatchCall {
	readonly parameters: ReadonlyMap<string, string>;
	readonly malformed?: string;
}

export type BatchCalls =
	| { readonly _tag: "BatchCalls"; readonly separator: string; readonly calls: readonly BatchCall[] }
	| { readonly _tag: "Malformed"; readonly message: string };

/** Cuts a batch into its calls. `sharedMethod` is that of the query, for calls that name none. */
export function divideBatch(
	body: Uint8Array,
	headers: ReadonlyMap<string, string>,
	sharedMethod: string | undefined,
	limits: HttpLimits,
): BatchCalls {
	const text = decodeUtf8(body);
	if (text === undefined) return { _tag: "Malformed", message: "the batch is not valid UTF-8" };
	const header = headers.get(SEPARATOR_HEADER);
	const separator = header ?? SEPARATOR;
	if (separator === "" || separator.length > MAX_SEPARATOR_CHARACTERS) {
		return {
			_tag: "Malformed",
			message: `${SEPARATOR_HEADER} must have 1 to ${MAX_SEPARATOR_CHARACTERS} characters`,
		};
	}
	const pieces = text.split(separator, limits.maxBatchCalls + 2);
	const shared = new Map(sharedMethod === undefined ? [] : [["method", sharedMethod]]);
	if (pieces[0]?.startsWith(PUBLIC)) {
		const read = readForm(pieces.shift()?.slice(PUBLIC.length) ?? "", limits);
		if (read._tag === "Malformed") return { _tag: "Malformed", message: read.message };
		for (const [name, value] of read.parameters) shared.set(name, value);
	}
	if (pieces.length === 0) return { _tag: "Malformed", message: "the batch has no calls" };
	if (pieces.length > limits.maxBatchCalls) {
		return { _tag: "Malformed", message: `a batch may have at most ${limits.maxBatchCalls} calls` };
	}
	const calls = pieces.map((piece) => readCall(piece, shared, limits));
	if (header !== undefined && !calls.every(isWhole)) return { _tag: "Malformed", message: UNSAFE_SEPARATOR };
	return { _tag: "BatchCalls", separator, calls };
}

const UNSAFE_SEPARATOR = `every call between two ${SEPARATOR_HEADER}s must be complete, with a JSON object as its request_param`;

function readCall(piece: string, shared: ReadonlyMap<string, string>, limits: HttpLimits): BatchCall {
	if (piece === NOTHING) return { parameters: shared };
	const read = readForm(piece, limits);
	if (read._tag === "Malformed") return { parameters: shared, malformed: read.message };
	if (read.parameters.size === 0) return { parameters: shared, malformed: "a call of the batch is empty" };
	return { parameters: new Map([...shared, ...read.parameters]) };
}

/**
 * The separator in the header is not signed: whoever changes it cuts the signed body at other places. A piece of a call
 * is never whole: its `request_param` is no object any more, or it is no parameter at all.
 */
function isWhole({ parameters, malformed }: BatchCall): boolean {
	const requestParam = parameters.get("request_param");
	return malformed === undefined && (!requestParam || objectEnd(requestParam) === requestParam.length);
}

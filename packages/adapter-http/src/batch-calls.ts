// How the calls of a batch are cut out of its body, which was proved before: docs/top-protocol.md, Batches.

import type { HttpLimits } from "./limits.js";
import { decodeUtf8 } from "./parameter-collector.js";
import { readForm } from "./parameters.js";

/** Stands in no urlencoded text. */
const SEPARATOR = "\r\n-S-\r\n";
const SEPARATOR_HEADER = "top-api-separator";
/** What encoders leave as it is, and what they write. */
const URLENCODED = /^[0-9A-Za-z%+&=._~!'()*-]*$/;
/**
 * The header is not signed: whoever changes it would cut the signed body at other places. A separator of which no
 * character can stand in a call cuts where the sender cut, or leaves something behind that is not urlencoded.
 */
const FOREIGN = /^["$,/:;<>?@[\]\\^`|]{1,64}$/;
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
	const separator = headers.get(SEPARATOR_HEADER) ?? SEPARATOR;
	if (separator !== SEPARATOR && !FOREIGN.test(separator))
		return { _tag: "Malformed", message: UNSAFE_SEPARATOR };
	const [first = "", ...rest] = text.split(separator, limits.maxBatchCalls + 2);
	const isShared = first.startsWith(PUBLIC);
	const pieces = isShared ? rest : [first, ...rest];
	const common = isShared ? first.slice(PUBLIC.length) : "";
	if (pieces.length === 0) return { _tag: "Malformed", message: "the batch has no calls" };
	if (pieces.length > limits.maxBatchCalls) {
		return { _tag: "Malformed", message: `a batch may have at most ${limits.maxBatchCalls} calls` };
	}
	if (![common, ...pieces].every((piece) => URLENCODED.test(piece))) {
		return { _tag: "Malformed", message: NOT_URLENCODED };
	}
	const read = readForm(common, limits);
	if (read._tag === "Malformed") return { _tag: "Malformed", message: read.message };
	const shared = new Map([...(sharedMethod ? [["method", sharedMethod] as const] : []), ...read.parameters]);
	return { _tag: "BatchCalls", separator, calls: pieces.map((piece) => readCall(piece, shared, limits)) };
}

const NOT_URLENCODED = "what stands between the separators of a batch is not urlencoded";
const UNSAFE_SEPARATOR = `${SEPARATOR_HEADER} must be 1 to 64 characters that never stand in urlencoded text, such as | or @@`;

function readCall(piece: string, shared: ReadonlyMap<string, string>, limits: HttpLimits): BatchCall {
	if (piece === NOTHING) return { parameters: shared };
	const read = readForm(piece, limits);
	if (read._tag === "Malformed") return { parameters: shared, malformed: read.message };
	if (read.parameters.size === 0) return { parameters: shared, malformed: "a call of the batch is empty" };
	return { parameters: new Map([...shared, ...read.parameters]) };
}

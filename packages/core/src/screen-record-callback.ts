// The callback as the PaaS sends it (snake_case) and as we speak of it (camelCase): the nine fields of
// `alibaba.cgame.avatar.video.record.report`.

import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { type DecodeError, decodeError, fromIoTs } from "./decode-error.js";
import { parseLink } from "./link.js";

export const SCREEN_RECORDING_CALL_BACK = "SCREEN_RECORDING_CALL_BACK";

/** Links of the object stores stay under 2 KB; what is far longer is not one. */
const MAX_LINK_CHARACTERS = 8192;
const WHOLE_NUMBER = /^-?[0-9]{1,16}$/;

/** What the PaaS reports: whose recording is finished, and where its video is for a limited time. */
export interface ScreenRecordCallback {
	/** The cloud game's id. */
	readonly gameId: string;
	/** Unique id of the call chain; carries the business context. Not the id of a file. */
	readonly trackInfo: string;
	/** The kind of customer account; 0 by default. */
	readonly accountDomain: number;
	/** Where the video can be downloaded; a secret while it lives. */
	readonly downloadUrl: string;
	/** The API's version; 1 by default. */
	readonly version: number;
	/** The customer's account id. */
	readonly accountId: string;
	/** When the link expires, as stated: milliseconds since the epoch, UTC. Not yet checked for plausibility. */
	readonly expireTime: number;
	readonly action: typeof SCREEN_RECORDING_CALL_BACK;
	/** The customer's project id. */
	readonly projectId: string;
}

/** The SDKs send numbers, PHP's samples numeric strings (docs/top-protocol.md §1). */
const WholeNumber = new t.Type<number, number, unknown>(
	"a whole number or a numeric string",
	(value): value is number => Number.isSafeInteger(value),
	(value, context) => {
		const number = typeof value === "string" && WHOLE_NUMBER.test(value) ? Number(value) : value;
		return typeof number === "number" && Number.isSafeInteger(number)
			? t.success(number)
			: t.failure(value, context);
	},
	(number) => number,
);

const Text = new t.Type<string, string, unknown>(
	"a string",
	t.string.is,
	(value, context) => (typeof value === "string" ? t.success(value) : t.failure(value, context)),
	(text) => text,
);

const Link = new t.Type<string, string, unknown>(
	"an http or https link",
	t.string.is,
	(value, context) =>
		typeof value === "string" && value.length <= MAX_LINK_CHARACTERS && parseLink(value) !== undefined
			? t.success(value)
			: t.failure(value, context),
	(link) => link,
);

const Action = new t.Type<typeof SCREEN_RECORDING_CALL_BACK, string, unknown>(
	SCREEN_RECORDING_CALL_BACK,
	(value): value is typeof SCREEN_RECORDING_CALL_BACK => value === SCREEN_RECORDING_CALL_BACK,
	(value, context) =>
		value === SCREEN_RECORDING_CALL_BACK ? t.success(SCREEN_RECORDING_CALL_BACK) : t.failure(value, context),
	(action) => action,
);

const Wire = t.type(
	{
		game_id: Text,
		track_info: Text,
		account_domain: WholeNumber,
		download_url: Link,
		version: WholeNumber,
		account_id: Text,
		expire_time: WholeNumber,
		action: Action,
		project_id: Text,
	},
	"ScreenRecordCallback",
);
type Wire = t.OutputOf<typeof Wire>;

/**
 * Decodes the JSON value of `request_param`, encodes back to it. Unknown keys are ignored, `null` is missing,
 * any `version` is accepted. *Source*: docs/top-protocol.md, `request_param`.
 */
export const ScreenRecordCallback: t.Type<ScreenRecordCallback, Wire, unknown> = new t.Type(
	"ScreenRecordCallback",
	(value): value is ScreenRecordCallback => isCallback(value),
	(value, context) => {
		const wire = Wire.validate(value, context);
		return isLeft(wire) ? wire : t.success(fromWire(wire.right));
	},
	toWire,
);

/** Decodes the text of `request_param`. *Errors*: `DecodeError`, which names fields and never echoes a value. */
export function decodeCallback(requestParam: string): Either<DecodeError, ScreenRecordCallback> {
	const json = parseJson(requestParam);
	if (isLeft(json)) return json;
	if (typeof json.right !== "object" || json.right === null || Array.isArray(json.right)) {
		return left(decodeError([{ field: "", problem: "must be a JSON object" }]));
	}
	const callback = ScreenRecordCallback.decode(json.right);
	return isLeft(callback) ? left(fromIoTs(callback.left)) : callback;
}

function parseJson(text: string): Either<DecodeError, unknown> {
	try {
		return right(JSON.parse(text));
	} catch {
		const problem = /^\s*\{\s*u?'/.test(text)
			? "is not JSON: it has single quotes, as when a Python dict is sent as it is; send json.dumps(…)"
			: "is not JSON";
		return left(decodeError([{ field: "", problem }]));
	}
}

function fromWire(wire: t.TypeOf<typeof Wire>): ScreenRecordCallback {
	return {
		gameId: wire.game_id,
		trackInfo: wire.track_info,
		accountDomain: wire.account_domain,
		downloadUrl: wire.download_url,
		version: wire.version,
		accountId: wire.account_id,
		expireTime: wire.expire_time,
		action: wire.action,
		projectId: wire.project_id,
	};
}

function toWire(callback: ScreenRecordCallback): Wire {
	return {
		game_id: callback.gameId,
		track_info: callback.trackInfo,
		account_domain: callback.accountDomain,
		download_url: callback.downloadUrl,
		version: callback.version,
		account_id: callback.accountId,
		expire_time: callback.expireTime,
		action: callback.action,
		project_id: callback.projectId,
	};
}

function isCallback(value: unknown): value is ScreenRecordCallback {
	return typeof value === "object" && value !== null && Wire.is(toWire(value as ScreenRecordCallback));
}

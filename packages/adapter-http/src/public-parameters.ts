// The grammar of every parameter that may stand in a callback. Why it is so strict: `reading.ts`.

import { objectEnd } from "./object-end.js";

/** The one method that this ingress serves. *Source*: docs/top-protocol.md. */
export const REPORT_METHOD = "alibaba.cgame.avatar.video.record.report";

const CHINA_TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$/;
const EPOCH_TIME = /^(?:[0-9]{10}|[0-9]{13})$/;
const APP_KEY = /^(?!.*(?:format|method|request_param))[0-9A-Za-z_-]{1,64}$/;
const PARTNER = /^(?!.*(?:request_param|session|timestamp))[0-9A-Za-z._-]{0,64}$/;
const SESSION = /^[0-9A-Za-z._-]{0,256}$/;
/** Every parameter that may stand directly behind `request_param`, where some of the others are absent. */
const ENDS_LIKE_A_PARAMETER =
	/(?:session[0-9A-Za-z._-]{0,256}|sign_method(?:md5|hmac|hmac-sha256)?|simplify(?:true|false)?|target_app_key[0-9]{0,32})$/;
/** "session" and the longest session: all of a `request_param` that needs a look. */
const TAIL_CHARACTERS = 7 + 256;
const TARGET_APP_KEY = /^[0-9]{0,32}$/;
/** TOP writes hexadecimal digits in upper case only. */
const SIGN = /^(?:[0-9A-F]{32}|[0-9A-F]{64})$/;

const GRAMMAR = {
	method: (value) => value === REPORT_METHOD,
	app_key: isAppKey,
	timestamp: (value) => CHINA_TIME.test(value) || EPOCH_TIME.test(value),
	v: (value) => value === "2.0",
	format: (value) => value === "json" || value === "xml" || value === "",
	sign_method: (value) => value === "md5" || value === "hmac" || value === "hmac-sha256",
	sign: (value) => SIGN.test(value),
	session: (value) => SESSION.test(value),
	simplify: (value) => value === "true" || value === "false" || value === "",
	partner_id: (value) => PARTNER.test(value),
	target_app_key: (value) => TARGET_APP_KEY.test(value),
	request_param: (value) =>
		!ENDS_LIKE_A_PARAMETER.test(value.slice(-TAIL_CHARACTERS)) && !goesOnLikeAParameter(value),
} as const satisfies Record<string, (value: string) => boolean>;

export type ParameterName = keyof typeof GRAMMAR;

/** A name that this method does not have, as other methods have theirs: `customerId`, `top_trace`. */
const OTHER_NAME = /^[A-Za-z_][0-9A-Za-z._-]*$/;

/** Whether a parameter that we do not know may have this name. What it means is nothing to us, so its value is any text. */
export function isOtherName(name: string): boolean {
	return OTHER_NAME.test(name);
}

/** Whether text that begins with a complete object goes on with what could be another parameter's name. */
function goesOnLikeAParameter(text: string): boolean {
	const end = objectEnd(text);
	return end !== undefined && /^[A-Za-z_]/.test(text.slice(end, end + 1));
}

/** TOP's app keys are digits; letters, `_` and `-` are accepted too, but not the words that follow a key when signed. */
export function isAppKey(text: string): boolean {
	return APP_KEY.test(text);
}

/** Whether a callback may have a parameter of this name. */
export function isParameterName(name: string): name is ParameterName {
	return Object.hasOwn(GRAMMAR, name);
}

/** The grammar's word on one parameter. */
export function isParameterValue(name: ParameterName, value: string): boolean {
	return GRAMMAR[name](value);
}

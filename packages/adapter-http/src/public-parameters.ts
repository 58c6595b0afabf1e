// The grammar of every parameter that may stand in a callback, and why it is so strict.
//
// The signature has no delimiters (docs/top-protocol.md §2): it covers `key1value1key2value2…`, so text that moves
// across a boundary keeps the sign. What makes that harmless is that of all ways to cut one signed text into
// parameters, this grammar accepts at most one. In the order in which they are signed:
//
//   app_key A [format F] method M [partner_id P] [request_param R] [session S]
//   sign_method G [simplify Y] [target_app_key T] timestamp D v 2.0
//
// - Nothing but these names is accepted: an unknown name could be cut out of R anywhere.
// - A holds neither "format" nor "method", P neither "request_param" nor "session", and M is one fixed text: so A, F,
//   M and P end where the next name first appears, and R starts there.
// - From the end, `sign_method … v2.0` can be read in one way only: its values are fixed words, digits or times.
// - R is any text. Between it and `sign_method` only a session may stand, and R must not itself end like a
//   session (`…session` and characters of one): so a session starts at the first place where it can. Without this
//   rule, R could swallow the session or give its own end away, and what no longer decodes would be quarantined.
//
// An empty value means the same as none; some SDKs send and sign it, some do not. The property test beside this
// file cuts signed texts in every way these names allow (ADR: one reading of a signed text).

/** The one method that this ingress serves. *Source*: docs/top-protocol.md. */
export const REPORT_METHOD = "alibaba.cgame.avatar.video.record.report";

const CHINA_TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$/;
const EPOCH_TIME = /^(?:[0-9]{10}|[0-9]{13})$/;
const APP_KEY = /^(?!.*(?:format|method))[0-9A-Za-z_-]{1,64}$/;
const PARTNER = /^(?!.*(?:request_param|session))[0-9A-Za-z._-]{0,64}$/;
const SESSION = /^[0-9A-Za-z._-]{0,256}$/;
const ENDS_LIKE_A_SESSION = /session[0-9A-Za-z._-]{0,256}$/;
/** "session" and the longest session: all of a `request_param` that needs a look. */
const SESSION_TAIL_CHARACTERS = 7 + 256;
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
	request_param: (value) => !ENDS_LIKE_A_SESSION.test(value.slice(-SESSION_TAIL_CHARACTERS)),
} as const satisfies Record<string, (value: string) => boolean>;

export type ParameterName = keyof typeof GRAMMAR;

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

const REQUIRED: readonly ParameterName[] = ["method", "app_key", "timestamp", "v", "sign_method"];

/** Whether `parameters` is the one reading of its signed text: complete, known names, each value in its grammar. */
export function isOnlyReading(parameters: ReadonlyMap<string, string>): boolean {
	if (!REQUIRED.every((name) => parameters.has(name))) return false;
	for (const [name, value] of parameters) {
		if (!isParameterName(name) || !isParameterValue(name, value)) return false;
	}
	return true;
}

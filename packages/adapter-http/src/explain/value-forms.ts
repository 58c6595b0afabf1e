// In which other form a value may have been signed than the one that was received, and what that says about the sender.

export type ValueFormTag = "encoded-value-signed" | "value-changed";

export interface ValueForm {
	readonly _tag: ValueFormTag;
	/** The form in which it may have been signed; the value itself when it has no other. */
	apply(value: string, name: string): string;
	/** Words that stand behind the parameters' names. */
	readonly says: string;
}

const ENCODED = "the percent-encoded value was signed; values must be signed before they are encoded";
const PLUS =
	"signed with + where a space was received; a + must be sent as %2B, and a space be signed as it is";
const SPACE = "signed with a space where + was received; the value was encoded twice";
const LINE_ENDS = "signed with other line ends than were received";
const REWRITTEN = "signed as another JSON writer writes it; the JSON was written anew after signing";

export const VALUE_FORMS: readonly ValueForm[] = [
	{ _tag: "encoded-value-signed", apply: (value) => value.replaceAll(" ", "+"), says: PLUS },
	{ _tag: "value-changed", apply: (value) => value.replaceAll("+", " "), says: SPACE },
	...[encodeURIComponent, encodeStrictly, encodeAsForm, encodeInLowerCase].map((apply) => ({
		_tag: "encoded-value-signed" as const,
		apply: (value: string) => apply(value),
		says: ENCODED,
	})),
	{ _tag: "value-changed", apply: decodeAgain, says: "received percent-encoded twice; encode values once" },
	{ _tag: "value-changed", apply: (value) => value.trim(), says: "signed without the white space around it" },
	{ _tag: "value-changed", apply: (value) => value.replaceAll("\r\n", "\n"), says: LINE_ENDS },
	{ _tag: "value-changed", apply: (value) => value.replace(/\r?\n/g, "\r\n"), says: LINE_ENDS },
	{ _tag: "value-changed", apply: (value) => value.replaceAll("\\/", "/"), says: REWRITTEN },
	{ _tag: "value-changed", apply: (value) => value.replace(/(?<!\\)\//g, "\\/"), says: REWRITTEN },
	{ _tag: "value-changed", apply: writeAnew, says: REWRITTEN },
	{
		_tag: "value-changed",
		apply: (value, name) => (name === "request_param" ? "[object Object]" : value),
		says: "an object was signed as [object Object]; turn it into JSON text before it is signed",
	},
];

function encodeStrictly(value: string): string {
	return encodeURIComponent(value).replace(
		/[!'()*]/g,
		(c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
	);
}

/** As Java's `URLEncoder` does, and with the digits of .NET's in lower case. */
function encodeAsForm(value: string): string {
	return new URLSearchParams([["", value]]).toString().slice(1);
}

function encodeInLowerCase(value: string): string {
	return encodeAsForm(value).replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase());
}

function decodeAgain(value: string): string {
	try {
		return decodeURIComponent(value.replaceAll("+", " "));
	} catch {
		return value;
	}
}

function writeAnew(value: string): string {
	try {
		return value.trimStart().startsWith("{") ? JSON.stringify(JSON.parse(value)) : value;
	} catch {
		return value;
	}
}

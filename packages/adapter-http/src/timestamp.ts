// The three forms of a TOP timestamp (docs/top-protocol.md §1), that of Alibaba Cloud's SPI, and how far one may be off.

/** TOP allows 10 minutes, in either direction. */
export const DEFAULT_CLOCK_TOLERANCE_MS: number = 10 * 60_000;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The text form is Chinese time whatever the sender's own zone. */
const CHINA_OFFSET_MS = 8 * HOUR_MS;

const TEXT = /^([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})$/;
const MILLISECONDS = /^[0-9]{13}$/;
const SECONDS = /^[0-9]{10}$/;

const MALFORMED =
	"timestamp must be yyyy-MM-dd HH:mm:ss in GMT+8, 13 digits of milliseconds, or 10 digits of seconds";

/**
 * UTC milliseconds of `yyyy-MM-dd HH:mm:ss` in GMT+8, of 13 digits (milliseconds) or of 10 (seconds).
 * *Errors*: `undefined` for any other text and for a day or time that no calendar has.
 */
export function parseTimestamp(text: string): number | undefined {
	if (MILLISECONDS.test(text)) return Number(text);
	if (SECONDS.test(text)) return Number(text) * 1000;
	return TEXT.test(text) ? parseChinaTime(text) : undefined;
}

export type TimestampCheck =
	| {
			readonly _tag: "InTime";
			/** Receiver's clock minus sender's timestamp, in milliseconds. */
			readonly skewMs: number;
	  }
	/** `message` is for the person who runs the sender. */
	| { readonly _tag: "OutOfTime"; readonly message: string };

/** Whether `text` is a timestamp at most `toleranceMs` away from `nowMs`, either way. */
export function checkTimestamp(text: string, nowMs: number, toleranceMs: number): TimestampCheck {
	const sentAtMs = parseTimestamp(text);
	if (sentAtMs === undefined) return { _tag: "OutOfTime", message: MALFORMED };
	return checkSkew(nowMs - sentAtMs, toleranceMs, TEXT.test(text));
}

const UTC_TEXT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;

/** UTC milliseconds of `yyyy-MM-ddTHH:mm:ssZ`; `undefined` for any other text, day or time. */
export function parseUtcTimestamp(text: string): number | undefined {
	const utcMs = UTC_TEXT.test(text) ? Date.parse(text) : Number.NaN;
	return !Number.isNaN(utcMs) && new Date(utcMs).toISOString() === text.replace("Z", ".000Z")
		? utcMs
		: undefined;
}

/** As `checkTimestamp`, of the form that Alibaba Cloud's own SPI has (ADR 0036). */
export function checkUtcTimestamp(text: string, nowMs: number, toleranceMs: number): TimestampCheck {
	const sentAtMs = parseUtcTimestamp(text);
	if (sentAtMs === undefined) {
		return { _tag: "OutOfTime", message: "timestamp must be yyyy-MM-ddTHH:mm:ssZ, in UTC" };
	}
	return checkSkew(nowMs - sentAtMs, toleranceMs, false);
}

function checkSkew(skewMs: number, toleranceMs: number, isText: boolean): TimestampCheck {
	if (Math.abs(skewMs) <= toleranceMs) return { _tag: "InTime", skewMs };
	return { _tag: "OutOfTime", message: describeSkew(skewMs, toleranceMs, isText) };
}

/** Senders write the second that it is: the last one is not read anew for each of its callbacks. */
let lastChinaTime: { readonly text: string; readonly utcMs: number | undefined } | undefined;

function parseChinaTime(text: string): number | undefined {
	if (lastChinaTime?.text !== text) lastChinaTime = { text, utcMs: readChinaTime(text) };
	return lastChinaTime.utcMs;
}

/** `Date.UTC` rolls Feb 30 over to March, so the text must come out again as it went in. */
function readChinaTime(text: string): number | undefined {
	const asUtcMs = Date.parse(`${text.replace(" ", "T")}Z`);
	if (Number.isNaN(asUtcMs)) return undefined;
	const again = new Date(asUtcMs).toISOString().slice(0, 19).replace("T", " ");
	return again === text ? asUtcMs - CHINA_OFFSET_MS : undefined;
}

/** SDKs that send their own zone's time (.NET, Node, C) are 8 hours late on a UTC host. */
function describeSkew(skewMs: number, toleranceMs: number, isText: boolean): string {
	if (isText && Math.abs(skewMs - CHINA_OFFSET_MS) <= toleranceMs) {
		return (
			"timestamp is 8 hours behind: it was sent as local time, not GMT+8; " +
			"on a UTC host set TZ=Asia/Shanghai for the sender"
		);
	}
	const direction = skewMs > 0 ? "behind" : "ahead of";
	const skew = describeDuration(Math.abs(skewMs));
	return `timestamp is ${skew} ${direction} the receiver's clock; at most ${describeDuration(toleranceMs)} are allowed`;
}

function describeDuration(durationMs: number): string {
	if (durationMs < 2 * MINUTE_MS) return `${Math.round(durationMs / 1000)} s`;
	if (durationMs < 2 * HOUR_MS) return `${Math.round(durationMs / MINUTE_MS)} min`;
	if (durationMs < 48 * HOUR_MS) return `${Math.round(durationMs / HOUR_MS)} h`;
	return `${Math.round(durationMs / (24 * HOUR_MS))} days`;
}

/** W3C trace context, version 00: neither its trace id nor its parent id is zero. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The `traceparent` of a request's headers, when it is one. */
export function readTraceparent(text: string | undefined): { readonly traceparent?: string } {
	return text !== undefined && TRACEPARENT.test(text) ? { traceparent: text } : {};
}

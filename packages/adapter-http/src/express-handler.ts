// The binding to Express (5, and 4): `app.use(createExpressHandler(options))`, before its body parsers or behind them.

import type { IncomingMessage } from "node:http";
import type { ParsedForm } from "./exchange.js";
import { mountHandler, type NodeHandler, type NodeHandlerOptions } from "./node-handler.js";
import { parsedForm } from "./parsed-form.js";

/**
 * As `createNodeHandler`. Mounted behind body parsers, it takes the bytes that `keepRawBody` kept or that `express.raw`
 * handed on; of forms, when no bytes are left, what the parser made of them. A batch or a JSON body whose bytes are gone
 * is answered "send it again", and the log says what to change.
 */
export function createExpressHandler(options: NodeHandlerOptions): NodeHandler {
	return mountHandler(options, (request) => ({
		target: targetOf(request),
		takenBody: () => takenBody(request),
	}));
}

const RAW_BODY = Symbol.for("@reelkeep/RawBody");

/**
 * For a parser's option `verify`, so that it keeps what it reads: `express.json({ verify: keepRawBody })`. Holds a body
 * twice while its request lives.
 */
export function keepRawBody(request: IncomingMessage, _response: unknown, bytes: Uint8Array): void {
	Object.assign(request, { [RAW_BODY]: bytes });
}

interface ParsedRequest {
	readonly [RAW_BODY]?: Uint8Array;
	/** What other packages call the same thing. */
	readonly rawBody?: unknown;
	readonly body?: unknown;
}

function takenBody(request: IncomingMessage): Uint8Array | ParsedForm | undefined {
	const { [RAW_BODY]: kept, rawBody, body } = request as ParsedRequest;
	for (const bytes of [kept, rawBody, body])
		if (bytes instanceof Uint8Array && bytes.length > 0) return bytes;
	return parsedForm(request, body);
}

/** What the hash of the request is of: the path before an application took its own part away. */
function targetOf(request: IncomingMessage): string {
	const { originalUrl } = request as { readonly originalUrl?: unknown };
	return typeof originalUrl === "string" ? originalUrl : (request.url ?? "");
}

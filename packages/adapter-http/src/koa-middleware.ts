// The binding to Koa (2 and 3): `app.use(createKoaMiddleware(options))`, before its body parser or behind it.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { ParsedForm } from "./exchange.js";
import { createMountedServe, type NodeHandlerOptions, pathOf } from "./node-handler.js";
import { bytesOfText, parsedForm } from "./parsed-form.js";

/** What is used of Koa's context: this package needs neither Koa nor its types. */
export interface KoaContext {
	readonly req: IncomingMessage;
	readonly res: ServerResponse;
	/** `body` and `rawBody` are the body parser's. */
	readonly request: { readonly body?: unknown; readonly rawBody?: unknown };
	readonly originalUrl: string;
	respond?: boolean | undefined;
}

/** *Promise*: for a path of its own, resolves when the answer is given; for any other, it is `next`'s. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>;

/**
 * As `createNodeHandler`. Behind a body parser it takes the text that `@koa/bodyparser` keeps, when that is what was
 * sent byte for byte; of forms, else, what the parser made of them. Another body whose bytes are gone is answered "send
 * it again", and the log says what to change.
 */
export function createKoaMiddleware(options: NodeHandlerOptions): KoaMiddleware {
	const serve = createMountedServe(options);
	return async (context, next) => {
		const { req: request, res: response, originalUrl: target } = context;
		const served = serve({
			request,
			response,
			path: pathOf(request.url ?? ""),
			target,
			takenBody: () => takenBody(context),
		});
		if (served === undefined) {
			await next();
			return;
		}
		context.respond = false; // Koa would answer 404 beside us
		await served;
	};
}

function takenBody({ req, request: { body, rawBody } }: KoaContext): Uint8Array | ParsedForm | undefined {
	for (const bytes of [rawBody, body]) if (bytes instanceof Uint8Array && bytes.length > 0) return bytes;
	return bytesOfText(req, rawBody) ?? parsedForm(req, body);
}

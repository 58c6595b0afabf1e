// The binding to Fastify 5: `app.register(fastifyReelkeep, options)`, whatever body parsers the application has.

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createMountedServe, type NodeHandlerOptions } from "./node-handler.js";
import { bytesOfText } from "./parsed-form.js";
import { isSpi, resolvePaths } from "./routes.js";

/**
 * A plugin; its options are `createNodeHandler`'s, and `prefix` is put before the paths. The routes have a parser of
 * their own that leaves the body alone, so that the limits of this package hold there and not Fastify's `bodyLimit`; no
 * parser of the application changes. The application's hooks run, but for those that would change the answer.
 * *Errors*: rejects with a `RangeError` for limits that are none, a `TypeError` for a path.
 */
export async function fastifyReelkeep(instance: FastifyInstance, options: NodeHandlerOptions): Promise<void> {
	const serve = createMountedServe(options);
	instance.removeAllContentTypeParsers();
	instance.addContentTypeParser("*", (_request, _payload, done) => done(null));
	const { path, batchPath } = resolvePaths(options);
	for (const one of isSpi(options.direction) ? [path] : new Set([path, batchPath])) {
		const answer = (request: FastifyRequest, reply: FastifyReply): void => {
			reply.hijack();
			void serve(mounted(one, request, reply));
		};
		// Fastify refuses what is no content type before a parser is asked; its sender expects an answer of TOP.
		const errorHandler: FastifyInstance["errorHandler"] = (error, request, reply) => {
			const { code = "" } = error as { readonly code?: string };
			if (!code.startsWith("FST_ERR_CTP_")) throw error;
			answer(request, reply);
		};
		// A colon begins a parameter of Fastify's routes; twice, it is itself.
		instance.all(one.replaceAll(":", "::"), { errorHandler }, answer);
	}
}

function mounted(path: string, request: FastifyRequest, reply: FastifyReply) {
	return {
		request: request.raw,
		response: reply.raw,
		path,
		target: request.originalUrl,
		takenBody: () => takenBody(request),
	};
}

/** What a plugin kept that reads bodies before they are parsed. */
function takenBody(request: FastifyRequest): Uint8Array | undefined {
	const { rawBody } = request as { readonly rawBody?: unknown };
	return rawBody instanceof Uint8Array && rawBody.length > 0 ? rawBody : bytesOfText(request.raw, rawBody);
}

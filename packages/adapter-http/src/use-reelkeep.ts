// The binding to NestJS 11 on Express: `useReelkeep(app, options)` in `main.ts`, between `create` and `listen`.

import { createExpressHandler } from "./express-handler.js";
import type { NodeHandler, NodeHandlerOptions } from "./node-handler.js";

/** What is used of `INestApplication`: this package needs neither Nest nor its types. */
export interface NestApplication {
	use(handler: NodeHandler): unknown;
	getHttpAdapter(): { getType(): string };
}

/**
 * Mounts the callbacks' paths on a Nest application; `receive` is `app.get(…).receive` of the provider that is your
 * Reelkeep. Call it before `app.listen` and `app.init`: there it stands before Nest's body parsers, whatever they are,
 * and later nothing reaches it. A global prefix, guards, pipes and interceptors are for controllers: they do not touch
 * these paths.
 * *Errors*: throws a `TypeError` for Nest on another platform than Express, or for a path; a `RangeError` for limits.
 */
export function useReelkeep(application: NestApplication, options: NodeHandlerOptions): void {
	const platform = application.getHttpAdapter().getType();
	if (platform !== "express") {
		throw new TypeError(
			`useReelkeep mounts on Nest's Express platform, not on ${platform}; on Fastify, register fastifyReelkeep`,
		);
	}
	application.use(createExpressHandler(options));
}

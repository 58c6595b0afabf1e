// Applications of each framework as its users have them: with their body parsers and a route of their own.

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import formbody from "@fastify/formbody";
import { bodyParser } from "@koa/bodyparser";
import {
	Body,
	Controller,
	type DynamicModule,
	type INestApplication,
	type NestApplicationOptions,
	Post,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import express, { type Express, type RequestHandler } from "express";
import fastify, { type FastifyInstance } from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { createExpressHandler } from "../src/express-handler.js";
import { fastifyReelkeep } from "../src/fastify-reelkeep.js";
import { createFetchHandler } from "../src/fetch-handler.js";
import { createKoaMiddleware } from "../src/koa-middleware.js";
import type { RouteOptions } from "../src/routes.js";
import { useReelkeep } from "../src/use-reelkeep.js";
import { onNodeHttp, onServer, type StartBinding } from "./running-binding.js";

type Parsed = { readonly body?: unknown };

/** Express 4, of which the same is used, by its alias. */
export const express4: typeof express = (await import(import.meta.resolve("express4"))).default;
const Koa2: typeof Koa = (await import(import.meta.resolve("koa2"))).default;

/** Express: the handlers in their order, then a route of its own. */
export function expressBinding(
	mount: (app: Express, handler: RequestHandler) => unknown,
	of: typeof express = express,
): StartBinding {
	return (options) => {
		const app = of();
		mount(app, createExpressHandler(options));
		app.post("/own", of.json(), (request, response) => void response.json({ own: request.body }));
		return onNodeHttp(app);
	};
}

/** Koa: the parser (or nothing) and Reelkeep's middleware in their order, then a route of its own. */
export function koaBinding(
	mount: (app: Koa, middleware: Koa.Middleware) => unknown,
	version: 2 | 3 = 3,
): StartBinding {
	return (options) => {
		const app = version === 2 ? new Koa2() : new Koa();
		app.silent = true; // of senders that leave
		mount(app, createKoaMiddleware(options));
		app.use(async (context, next) => {
			if (context.path === "/own") context.body = { own: (context.request as Parsed).body };
			else await next();
		});
		return onNodeHttp(app.callback());
	};
}

/** A parser that keeps no text of what it reads, as other packages' do not. */
export const forgetText: Koa.Middleware = (context, next) => {
	Object.assign(context.request, { rawBody: undefined });
	return next();
};

export { bodyParser as koaBodyParser };

/** Fastify: whatever the application registers first, then Reelkeep, then a route of its own. */
export function fastifyBinding(prepare: (app: FastifyInstance) => unknown): StartBinding {
	return async (options) => {
		const app = fastify();
		await prepare(app);
		await app.register(fastifyReelkeep, options);
		app.post("/own", (request, reply) => reply.send({ own: request.body }));
		const address = await app.listen({ host: "127.0.0.1", port: 0 });
		return onServer(address, async () => {
			app.server.closeAllConnections();
			await app.close();
		});
	};
}

/** Parsers of everything: forms by a plugin, any other body as text. */
export function parseEverything(app: FastifyInstance): void {
	app.register(formbody);
	app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
}

class Own {
	answer(body: unknown) {
		return { own: body };
	}
}
// As decorators do, for tests that no compiler of decorators reads.
Controller("own")(Own);
Post()(Own.prototype, "answer", Object.getOwnPropertyDescriptor(Own.prototype, "answer") ?? {});
Body()(Own.prototype, "answer", 0);

/** NestJS on Express with what a user gives to `create`. */
export function nestBinding(settings: NestApplicationOptions): StartBinding {
	return async (options) => {
		class AppModule {}
		const providers = [{ provide: "RECEIVE", useValue: options.receive }];
		const root: DynamicModule = { module: AppModule, controllers: [Own], providers };
		const app = await NestFactory.create(root, { logger: false, ...settings });
		useReelkeep(app, { ...options, receive: app.get("RECEIVE") });
		if (settings.bodyParser === false) app.use(express.json());
		await app.listen(0, "127.0.0.1");
		return onServer(await app.getUrl(), async () => {
			app.getHttpServer().closeAllConnections();
			await app.close();
		});
	};
}

/** Nest's own type names the Fastify that Nest brings, which is of another version than ours. */
interface NestOnFastify extends INestApplication {
	register(plugin: typeof fastifyReelkeep, options: RouteOptions): Promise<unknown>;
}

/** NestJS on Fastify with what a user gives to `create`; Reelkeep is Fastify's plugin there. */
export function nestFastifyBinding(settings: NestApplicationOptions): StartBinding {
	return async (options) => {
		class AppModule {}
		const root: DynamicModule = { module: AppModule, controllers: [Own] };
		const adapter = new FastifyAdapter();
		const app = await NestFactory.create<NestOnFastify>(root, adapter, { logger: false, ...settings });
		await app.register(fastifyReelkeep, options);
		await app.listen(0, "127.0.0.1");
		return onServer(await app.getUrl(), async () => {
			app.getHttpServer().closeAllConnections();
			await app.close();
		});
	};
}

interface HonoServer {
	serve(
		options: { fetch(request: Request): Response | Promise<Response>; hostname: string; port: number },
		listening: (info: AddressInfo) => void,
	): Server;
}

/** Hono on its server for Node, whose own types need those of browsers. */
export const honoBinding: StartBinding = async (options) => {
	const { serve }: HonoServer = await import(import.meta.resolve("@hono/node-server"));
	const app = new Hono();
	const top = createFetchHandler(options);
	app.post("/own", async (context) => context.json({ own: await context.req.json() }));
	app.all("*", (context) => top(context.req.raw));
	return new Promise((resolve) => {
		const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
			const close = (): Promise<unknown> =>
				new Promise((closed) => {
					server.close(closed);
					server.closeAllConnections();
				});
			resolve(onServer(`http://127.0.0.1:${port}`, close));
		});
	});
};

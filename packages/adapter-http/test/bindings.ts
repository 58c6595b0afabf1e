// Every binding of the README's table, each in the ways in which its users mount it.

import express from "express";
import { keepRawBody } from "../src/express-handler.js";
import { createFetchHandler } from "../src/fetch-handler.js";
import { createHttpIngress } from "../src/http-ingress.js";
import { createNodeHandler } from "../src/node-handler.js";
import { fetchBody } from "./binding.js";
import {
	express4,
	expressBinding,
	fastifyBinding,
	forgetText,
	honoBinding,
	koaBinding,
	koaBodyParser,
	nestBinding,
	nestFastifyBinding,
	parseEverything,
} from "./framework-bindings.js";
import { onNodeHttp, onServer, type StartBinding, withoutServer } from "./running-binding.js";
import {
	functionComputeBinding,
	lambdaBinding,
	loadBalancerEvent,
	payload1Event,
	payload2Event,
} from "./serverless-bindings.js";

const nodeHttp: StartBinding = (options) => {
	const handler = createNodeHandler(options);
	return onNodeHttp(async (request, response) => {
		if (handler(request, response)) return;
		const sent = await request.toArray();
		response.end(JSON.stringify({ own: JSON.parse(Buffer.concat(sent).toString()) }));
	});
};

const ownServer: StartBinding = async ({ receive, ...options }) => {
	const ingress = createHttpIngress(options);
	const { address = "" } = await ingress.start(receive);
	const { address: _noRoutesOfOthers, ...running } = onServer(address, () => ingress.stop());
	return running;
};

const fetchAlone: StartBinding = async (options) => {
	const handler = createFetchHandler(options);
	return withoutServer((bytes) => fetchBody(handler, bytes));
};

const { json, urlencoded, text, raw } = express;
const verify = keepRawBody;
const simple = urlencoded({ extended: false });
const extended = urlencoded({ extended: true });
const everyType = { enableTypes: ["json" as const, "form" as const, "text" as const] };

/** Row of the README's table → how it is mounted → what starts it. */
export const BINDINGS: Readonly<Record<string, Readonly<Record<string, StartBinding>>>> = {
	"node:http, `httpIngress`": { "on a server of the user": nodeHttp, "on its own server": ownServer },
	"Express, before parsers": {
		"before json, urlencoded and text": expressBinding((app, top) => app.use(top, json(), extended, text())),
		"without parsers": expressBinding((app, top) => app.use(top)),
		"before the parsers of Express 4": expressBinding(
			(app, top) => app.use(top, express4.json(), express4.urlencoded({ extended: true }), express4.text()),
			express4,
		),
	},
	"Express, behind `keepRawBody`": {
		"behind json, urlencoded and text": expressBinding((app, top) =>
			app.use(json({ verify }), urlencoded({ extended: true, verify }), text({ verify }), top),
		),
		"behind express.raw": expressBinding((app, top) =>
			app.use(/^\/(?:router|spi)/, raw({ type: () => true })).use(top),
		),
		"behind the parsers of Express 4": expressBinding(
			(app, top) =>
				app.use(
					express4.json({ verify }),
					express4.urlencoded({ extended: true, verify }),
					express4.text({ verify }),
					top,
				),
			express4,
		),
	},
	"Express, behind other parsers": {
		"behind json, urlencoded and text": expressBinding((app, top) => app.use(json(), extended, text(), top)),
		"behind json, simple urlencoded and text": expressBinding((app, top) =>
			app.use(json(), simple, text(), top),
		),
		"behind the parsers of Express 4": expressBinding(
			(app, top) => app.use(express4.json(), express4.urlencoded({ extended: true }), express4.text(), top),
			express4,
		),
	},
	"Fastify, whatever parsers": {
		"with its own parsers": fastifyBinding(() => {}),
		"with parsers of forms and of everything": fastifyBinding(parseEverything),
		"with none": fastifyBinding((app) => app.removeContentTypeParser("text/plain")),
	},
	"Koa, before a parser": {
		"before a parser": koaBinding((app, top) => app.use(top).use(koaBodyParser())),
		"before a parser, Koa 2": koaBinding((app, top) => app.use(top).use(koaBodyParser()), 2),
	},
	"Koa, behind `@koa/bodyparser`": {
		"as it is": koaBinding((app, top) => app.use(koaBodyParser()).use(top)),
		"with text too": koaBinding((app, top) => app.use(koaBodyParser(everyType)).use(top)),
		"with text too, Koa 2": koaBinding((app, top) => app.use(koaBodyParser(everyType)).use(top), 2),
	},
	"Koa, behind other parsers": {
		"that keep no text": koaBinding((app, top) => app.use(koaBodyParser(everyType)).use(forgetText).use(top)),
	},
	"NestJS, `useReelkeep`": {
		"with the body parser": nestBinding({}),
		"with rawBody": nestBinding({ rawBody: true }),
		"without the body parser": nestBinding({ bodyParser: false }),
	},
	"NestJS on Fastify": {
		"with the body parser": nestFastifyBinding({}),
		"with rawBody": nestFastifyBinding({ rawBody: true }),
	},
	"fetch, Hono": { "by itself": fetchAlone, "in Hono on its server for Node": honoBinding },
	"Lambda, payload 2.0, function URL": {
		"as text": lambdaBinding("utf8", payload2Event),
		"as base64": lambdaBinding("base64", payload2Event),
	},
	"Lambda, payload 1.0, load balancer": {
		"payload 1.0, as text": lambdaBinding("utf8", payload1Event),
		"payload 1.0, as base64": lambdaBinding("base64", payload1Event),
		"load balancer, as text": lambdaBinding("utf8", (parts) => loadBalancerEvent(parts, false)),
		"load balancer, as base64 in lists": lambdaBinding("base64", (parts) => loadBalancerEvent(parts, true)),
	},
	"Function Compute": {
		"as text": functionComputeBinding("utf8"),
		"as base64": functionComputeBinding("base64"),
	},
};

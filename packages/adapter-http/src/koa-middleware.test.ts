// What is Koa's own: middleware around and behind, and a body that its parser kept as text.

import { bodyParser } from "@koa/bodyparser";
import { sendRaw } from "@reelkeep/harness/send-raw";
import Koa from "koa";
import { afterEach, describe, expect, it } from "vitest";
import { listen, ODD_TEXT } from "../test/binding.js";
import { APPS, handlerOptions, recordingReceive, signed, standingClock } from "../test/harness.js";
import { signedSpi } from "../test/signed-bodies.js";
import { createKoaMiddleware } from "./koa-middleware.js";
import type { RouteOptions } from "./routes.js";
import { createSpiVerifier } from "./spi-verifier.js";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
});

async function given(mount: (app: Koa, top: Koa.Middleware) => unknown, options: Partial<RouteOptions> = {}) {
	const app = new Koa();
	app.silent = true;
	const { receive, reports } = recordingReceive();
	mount(app, createKoaMiddleware({ ...handlerOptions(receive), ...options }));
	const { address, close } = await listen(app.callback());
	closing.push(close);
	return { address, reports };
}

const spi: Partial<RouteOptions> = {
	direction: "spi",
	verifier: createSpiVerifier({ apps: APPS, clock: standingClock() }),
};

/** The same request without a stated length. */
function inChunks(bytes: Buffer): Buffer {
	const [head = "", body = ""] = bytes.toString("latin1").split("\r\n\r\n");
	const length = body.length.toString(16);
	const chunked = head.replace(/Content-Length: \d+/, "Transfer-Encoding: chunked");
	return Buffer.from(`${chunked}\r\n\r\n${length}\r\n${body}\r\n0\r\n\r\n`, "latin1");
}

describe("the Koa middleware", () => {
	it("throws for a path and for a limit that are none", () => {
		const options = handlerOptions(recordingReceive().receive);
		expect(() => createKoaMiddleware({ ...options, path: "rest" })).toThrow(TypeError);
		expect(() => createKoaMiddleware({ ...options, limits: { maxInFlight: 0 } })).toThrow(RangeError);
	});

	it("returns to the middleware around it when the answer is given, and reaches none behind it", async () => {
		const order: string[] = [];
		const { address } = await given((app, top) =>
			app
				.use(async (context, next) => {
					await next();
					order.push(`after ${context.res.writableEnded}`);
				})
				.use(top)
				.use((context) => {
					order.push("behind");
					context.body = "own";
				}),
		);
		expect((await sendRaw(address, signed())).body).toContain('"consume_state":1');
		expect(order).toEqual(["after true"]);
		expect(await (await fetch(`${address}/own`)).text()).toBe("own");
		expect(order).toEqual(["after true", "behind", "after false"]);
	});

	it("hands on what the middleware behind it throws", async () => {
		const { address } = await given((app, top) =>
			app.use(top).use(() => {
				throw new Error("own");
			}),
		);
		expect((await fetch(`${address}/own`)).status).toBe(500);
	});

	it("routes by the path that a mount leaves, and hashes the target that was sent", async () => {
		const { address, reports } = await given((app, top) =>
			app.use((context, next) => {
				context.path = context.path.replace(/^\/top/, "");
				return top(context, next);
			}),
		);
		const bytes = Buffer.from(signed().toString("latin1").replace(" /", " /top/"), "latin1");
		expect((await sendRaw(address, bytes)).body).toContain('"consume_state":1');
		expect((await sendRaw(address, signed())).body).toContain('"consume_state":1');
		const [under, direct] = reports.map(({ metadata }) => metadata.verification?.requestSha256);
		expect(under).not.toBe(direct);
	});

	it("believes a text that was kept only when it is as long as what was sent", async () => {
		const { address, reports } = await given((app, top) => app.use(bodyParser()).use(top), spi);
		const json = signedSpi(`{"request_param":${ODD_TEXT}}`);
		expect((await sendRaw(address, inChunks(json))).body).toContain("isp.remote-service-error");
		expect(reports).toEqual([]);
		expect((await sendRaw(address, json)).body).toContain("SUCCESS");
		expect(reports).toHaveLength(1);
	});

	it("takes a form of unstated length by its fields, without a hash", async () => {
		const { address, reports } = await given((app, top) => app.use(bodyParser()).use(top));
		expect((await sendRaw(address, inChunks(signed({ requestParam: ODD_TEXT })))).body).toContain(
			"consume_state",
		);
		expect(reports.map(({ requestParam }) => requestParam)).toEqual([ODD_TEXT]);
		expect(reports[0]?.metadata.verification).not.toHaveProperty("requestSha256");
	});
});

// Express 5 as its users have it: with the usual body parsers installed, before the handler or behind it.

import { sendRaw } from "@reelkeep/harness/send-raw";
import express, { type Express } from "express";
import { afterEach, describe, expect, it } from "vitest";
import { listen, ODD_TEXT } from "../test/binding.js";
import { APPS, handlerOptions, recordingReceive, signed, standingClock } from "../test/harness.js";
import { signedBatch, signedSpi } from "../test/signed-bodies.js";
import { createExpressHandler, keepRawBody } from "./express-handler.js";
import type { NodeHandlerOptions } from "./node-handler.js";
import { createSpiVerifier } from "./spi-verifier.js";

type Mount = (app: Express, handler: ReturnType<typeof createExpressHandler>) => void;

const MOUNTS: Readonly<Record<string, Mount>> = {
	"before the parsers": (app, handler) =>
		app.use(handler).use(express.json(), express.urlencoded({ extended: true }), express.text()),
	"behind parsers that keep raw bodies": (app, handler) => {
		const verify = keepRawBody;
		app.use(
			express.json({ verify }),
			express.urlencoded({ extended: true, verify }),
			express.text({ verify }),
		);
		app.use(handler);
	},
	"behind express.raw": (app, handler) => app.use(express.raw({ type: () => true }), handler),
	"behind parsers that do not": (app, handler) =>
		app.use(express.json(), express.urlencoded({ extended: true }), handler),
	"behind simple parsers that do not": (app, handler) =>
		app.use(express.json(), express.urlencoded({ extended: false }), handler),
	"on a path of the application": (app, handler) => app.use("/top", handler),
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
});

async function start(mount: Mount, options: Partial<NodeHandlerOptions> = {}) {
	const recorded = recordingReceive();
	const app = express();
	mount(app, createExpressHandler({ ...handlerOptions(recorded.receive), ...options }));
	app.use((request, response) => void response.json({ own: request.body ?? null }));
	const { address, close } = await listen(app);
	closing.push(close);
	return { address, reports: recorded.reports };
}

const spi: Partial<NodeHandlerOptions> = {
	direction: "spi",
	verifier: createSpiVerifier({ apps: APPS, clock: standingClock() }),
};

describe.each(Object.entries(MOUNTS))("the Express handler, %s", (name, mount) => {
	const prefix = name === "on a path of the application" ? "/top" : "";
	const moved = (bytes: Buffer): Buffer =>
		Buffer.concat([Buffer.from(bytes.toString("latin1").replace(" /", ` ${prefix}/`), "latin1")]);
	const isRawGone = name.endsWith("do not");

	it.each(["form", "body", "query", "get-with-body", "multipart"] as const)(
		"takes odd text exactly, sent as %s",
		async (place) => {
			const { address, reports } = await start(mount);
			const reply = await sendRaw(address, moved(signed({ place, requestParam: ODD_TEXT })));
			expect(reply.body).toContain('"consume_state":1');
			expect(reports.map(({ requestParam }) => requestParam)).toEqual([ODD_TEXT]);
		},
	);

	it("refuses a form with one byte changed on the way", async () => {
		const { address, reports } = await start(mount);
		const bytes = moved(signed({ requestParam: ODD_TEXT }));
		const at = bytes.lastIndexOf("game_id");
		bytes[at] = 0x68;
		expect((await sendRaw(address, bytes)).body).toContain('"code":25');
		expect(reports).toEqual([]);
	});

	it("takes a batch", async () => {
		const { address, reports } = await start(mount);
		const reply = await sendRaw(address, moved(signedBatch([ODD_TEXT, "{}"])));
		expect(reply.body.match(/"consume_state":1/g)).toHaveLength(2);
		expect(reports.map(({ requestParam }) => requestParam)).toEqual([ODD_TEXT, "{}"]);
	});

	it(
		isRawGone ? "asks for a JSON body again, whose bytes are gone" : "takes a JSON body of the SPI direction",
		async () => {
			const { address, reports } = await start(mount, spi);
			const reply = await sendRaw(address, moved(signedSpi(`{"request_param":${ODD_TEXT}}`)));
			if (isRawGone) expect(reply.body).toContain("isp.remote-service-error");
			else expect(JSON.parse(reply.body).result.data.consume_state).toBe(1);
			expect(reports).toHaveLength(isRawGone ? 0 : 1);
		},
	);

	it("leaves the application's own routes and bodies alone", async () => {
		const { address } = await start(mount);
		const headers = { "content-type": "application/json" };
		const reply = await fetch(`${address}/own`, { method: "POST", headers, body: '{"a":"游戏"}' });
		if (!/path|raw$/.test(name)) expect(await reply.json()).toEqual({ own: { a: "游戏" } });
		expect(reply.status).toBe(200);
	});
});

describe("a form whose bytes are gone", () => {
	const mount = MOUNTS["behind parsers that do not"] as Mount;

	it("has no hash of raw bytes in its receipt; one whose bytes were kept has", async () => {
		const gone = await start(mount);
		await sendRaw(gone.address, signed());
		expect(gone.reports[0]?.metadata.verification).toEqual({
			scheme: "md5",
			secretId: "default",
			clockSkewMs: 0,
		});
		const kept = await start(MOUNTS["behind parsers that keep raw bodies"] as Mount);
		await sendRaw(kept.address, signed());
		expect(kept.reports[0]?.metadata.verification?.requestSha256).toMatch(/^[0-9a-f]{64}$/);
	});

	it.each([
		["a name twice", "&request_param=%7B%7D"],
		["a nested name", "&a%5Bb%5D=1"],
	])("is refused with %s", async (_what, more) => {
		const { address, reports } = await start(mount);
		const text = signed().toString("latin1");
		const length = Number(/Content-Length: (\d+)/.exec(text)?.[1]);
		const sent = text.replace(`Content-Length: ${length}`, `Content-Length: ${length + more.length}`) + more;
		expect((await sendRaw(address, Buffer.from(sent, "latin1"))).body).toContain("error_response");
		expect(reports).toEqual([]);
	});
});

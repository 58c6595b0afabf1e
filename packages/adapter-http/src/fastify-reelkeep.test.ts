// What is Fastify's own: prefixes, hooks, parsers and errors of the application beside the plugin.

import { sendRaw } from "@reelkeep/harness/send-raw";
import { type FastifyInstance, fastify } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { ODD_TEXT } from "../test/binding.js";
import { APPS, handlerOptions, recordingReceive, signed, standingClock } from "../test/harness.js";
import { signedSpi } from "../test/signed-bodies.js";
import { fastifyReelkeep } from "./fastify-reelkeep.js";
import { createSpiVerifier } from "./spi-verifier.js";

const running: FastifyInstance[] = [];
afterEach(async () => {
	await Promise.all(running.splice(0).map((app) => app.close()));
});

function given() {
	const app = fastify({ bodyLimit: 10 });
	running.push(app);
	const { receive, reports } = recordingReceive();
	const options = handlerOptions(receive);
	const listen = (): Promise<string> => app.listen({ host: "127.0.0.1", port: 0 });
	return { app, options, reports, listen };
}

describe("fastifyReelkeep", () => {
	it("rejects a path and a limit that are none", async () => {
		const { app, options } = given();
		await expect(app.register(fastifyReelkeep, { ...options, path: "rest" })).rejects.toThrow(TypeError);
		const other = given();
		const limits = { maxBodyBytes: 0 };
		await expect(other.app.register(fastifyReelkeep, { ...options, limits })).rejects.toThrow(RangeError);
	});

	it("answers under a prefix, and hashes the target that was sent", async () => {
		const { app, options, reports, listen } = given();
		await app.register(fastifyReelkeep, { ...options, prefix: "/top" });
		const address = await listen();
		expect((await sendRaw(address, signed())).status).toBe(404);
		const bytes = Buffer.from(signed().toString("latin1").replace(" /", " /top/"), "latin1");
		expect((await sendRaw(address, bytes)).body).toContain('"consume_state":1');
		expect(reports[0]?.metadata.verification?.requestSha256).toMatch(/^[0-9a-f]{64}$/);
	});

	it("serves both directions in one application, one plugin each", async () => {
		const { app, options, reports, listen } = given();
		const verifier = createSpiVerifier({ apps: APPS, clock: standingClock() });
		await app.register(fastifyReelkeep, options);
		// Its neighbour `/spi/batch` is nobody's: batches are of the gateway.
		await app.register(fastifyReelkeep, { ...options, verifier, direction: "spi", path: "/spi/rest" });
		const address = await listen();
		const spi = signedSpi(`{"request_param":${ODD_TEXT}}`).toString("latin1").replace("/spi", "/spi/rest");
		expect((await sendRaw(address, signed())).body).toContain('"consume_state":1');
		expect((await sendRaw(address, Buffer.from(spi, "latin1"))).body).toContain("SUCCESS");
		expect(reports).toHaveLength(2);
		expect((await fetch(`${address}/spi/batch`, { method: "POST" })).status).toBe(404);
	});

	it("runs the application's hooks, and answers nothing that a hook refused", async () => {
		const { app, options, reports, listen } = given();
		const seen: string[] = [];
		app.addHook("onResponse", async (request) => void seen.push(request.method));
		app.addHook("preHandler", async (request, reply) => {
			if (request.headers["x-refused"] !== undefined) await reply.code(403).send("refused");
		});
		await app.register(fastifyReelkeep, options);
		const address = await listen();
		const refused = await sendRaw(address, signed({ headers: { "X-Refused": "1" } }));
		expect([refused.status, refused.body, reports.length]).toEqual([403, "refused", 0]);
		expect((await sendRaw(address, signed())).body).toContain('"consume_state":1');
		expect(seen).toEqual(["POST", "POST"]);
	});

	it("takes the bytes that another plugin has kept, whose reading took the body", async () => {
		const { app, options, reports, listen } = given();
		app.addHook("preParsing", async (request, _reply, payload) => {
			const kept = Buffer.concat(await payload.toArray());
			Object.assign(request, { rawBody: kept });
			return payload;
		});
		await app.register(fastifyReelkeep, options);
		expect((await sendRaw(await listen(), signed({ requestParam: ODD_TEXT }))).body).toContain(
			"consume_state",
		);
		expect(reports[0]?.requestParam).toBe(ODD_TEXT);
	});

	it("leaves the application's errors, parsers and body limit as they are", async () => {
		const { app, options, listen } = given();
		app.setErrorHandler(({ message }: Error, _request, reply) => reply.code(500).send({ own: message }));
		app.addHook("preHandler", async (request) => {
			if (request.headers["x-broken"] !== undefined) throw new Error("of a hook");
		});
		await app.register(fastifyReelkeep, options);
		app.post("/own", (request, reply) => reply.send(request.body));
		const address = await listen();
		const broken = await sendRaw(address, signed({ headers: { "X-Broken": "1" } }));
		expect([broken.status, broken.body]).toEqual([500, '{"own":"of a hook"}']);
		const headers = { "content-type": "application/json" };
		const large = await fetch(`${address}/own`, { method: "POST", headers, body: '{"a":"longer than ten"}' });
		expect(await large.json()).toEqual({ own: "Request body is too large" });
	});
});

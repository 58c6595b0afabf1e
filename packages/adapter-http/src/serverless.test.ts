// What differs from a server: paths with a stage, lists, whole bodies in text, events that are none.

import { describe, expect, it } from "vitest";
import { ODD_TEXT } from "../test/binding.js";
import { handlerOptions, recordingReceive, signed } from "../test/harness.js";
import {
	functionComputeEvent,
	loadBalancerEvent,
	partsOf,
	payload1Event,
	payload2Event,
} from "../test/serverless-bindings.js";
import { createFunctionComputeHandler } from "./function-compute-handler.js";
import { createLambdaHandler, type LambdaEvent } from "./lambda-handler.js";
import type { RouteOptions } from "./routes.js";

function given(options: Partial<RouteOptions> = {}) {
	const { receive, reports } = recordingReceive();
	const merged = { ...handlerOptions(receive), ...options };
	const texts = () => reports.map(({ requestParam }) => requestParam);
	return { lambda: createLambdaHandler(merged), compute: createFunctionComputeHandler(merged), texts };
}

const form = (more: Parameters<typeof signed>[0] = {}) => partsOf(signed(more), "base64");

describe("the Lambda handler", () => {
	it("rejects an event that is no HTTP request, and says which are", async () => {
		const { lambda } = given();
		for (const event of [{}, { Records: [] }, { requestContext: {} }, { path: "/router/rest" }]) {
			await expect(lambda(event as LambdaEvent)).rejects.toThrow(/no HTTP request of an API Gateway/);
		}
	});

	it("answers 404 to other paths, which no cache keeps", async () => {
		const { lambda } = given();
		const { statusCode, headers, body } = await lambda(payload2Event({ ...form(), path: "/other" }));
		expect([statusCode, headers["Cache-Control"], body]).toEqual([404, "no-store", ""]);
	});

	it("finds its path behind the stage of an API, and no other path that begins like it", async () => {
		const { lambda, texts } = given();
		expect((await lambda(payload2Event(form(), "prod"))).body).toContain('"consume_state":1');
		const event = payload2Event(form(), "prod");
		expect((await lambda({ ...event, rawPath: "/production/router/rest" })).statusCode).toBe(404);
		expect(texts()).toEqual(["{}"]);
	});

	it("answers a load balancer in lists when it sends lists, and nobody else", async () => {
		const { lambda } = given();
		const lists = await lambda(loadBalancerEvent(form(), true));
		expect(lists.multiValueHeaders?.["Cache-Control"]).toEqual(["no-store"]);
		for (const event of [loadBalancerEvent(form(), false), payload1Event(form()), payload2Event(form())]) {
			expect(await lambda(event)).not.toHaveProperty("multiValueHeaders");
		}
	});

	it("refuses a name that stands twice, as on a server", async () => {
		const { lambda, texts } = given();
		const parts = form();
		const twice = payload1Event({ ...parts, query: `${parts.query}&v=2.0` });
		expect((await lambda(twice)).body).toContain("a parameter stands twice");
		expect(texts()).toEqual([]);
	});

	it("refuses half a surrogate pair in a decoded query instead of throwing", async () => {
		const { lambda } = given();
		const event = payload1Event(form());
		const queryStringParameters = { a: "\ud83c", "\udfae": "b" };
		const reply = await lambda({ ...event, multiValueQueryStringParameters: null, queryStringParameters });
		expect(reply.body).toContain("error_response");
	});

	it("answers in plain text to a sender that reads gzip: base64 would reach it as it stands", async () => {
		const { lambda } = given();
		const event = payload2Event(form({ headers: { "Accept-Encoding": "gzip" } }));
		const { body, headers, isBase64Encoded } = await lambda(event);
		expect([body.includes("consume_state"), headers["Content-Encoding"], isBase64Encoded]).toEqual([
			true,
			undefined,
			false,
		]);
	});

	it("survives an event whose optional members are null or absent", async () => {
		const { lambda } = given();
		const event: LambdaEvent = {
			...{ httpMethod: "POST", path: "/router/rest", headers: null, multiValueHeaders: null, body: null },
			...{ queryStringParameters: null, multiValueQueryStringParameters: null },
		};
		expect((await lambda(event)).body).toContain("<code>21</code>");
		const bare = { rawPath: "/router/rest", requestContext: { http: { method: "POST" } } };
		expect((await lambda(bare)).body).toContain("<code>21</code>");
	});
});

describe("the Function Compute handler", () => {
	it("takes the event as bytes, as text and read", async () => {
		const { compute, texts } = given();
		const bytes = functionComputeEvent(form({ requestParam: ODD_TEXT }));
		for (const event of [bytes, bytes.toString(), JSON.parse(bytes.toString())]) {
			expect((await compute(event)).body).toContain('"consume_state":1');
		}
		expect(texts()).toEqual([ODD_TEXT, ODD_TEXT, ODD_TEXT]);
	});

	it("rejects what is no event of an HTTP trigger, and repeats nothing of it", async () => {
		const { compute } = given();
		for (const event of ["", "a-secret", "null", '{"rawPath":"/x"}', Buffer.from([0xff])]) {
			await expect(compute(event)).rejects.toThrow(
				/^the event is no HTTP request of Function Compute's HTTP trigger$/,
			);
		}
	});

	it("counts the bytes of a body, not its characters or its base64", async () => {
		for (const encoding of ["utf8", "base64"] as const) {
			const body = "游".repeat(100);
			const parts = {
				...form(),
				body: Buffer.from(body).toString(encoding),
				isBase64Encoded: encoding === "base64",
			};
			const over = await given({ limits: { maxBodyBytes: 299 } }).compute(functionComputeEvent(parts));
			expect(over.body).toContain("the body is longer than 299 bytes");
			const within = await given({ limits: { maxBodyBytes: 300 } }).compute(functionComputeEvent(parts));
			expect(within.body).not.toContain("longer than");
		}
	});
});

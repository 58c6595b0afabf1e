import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { signedRequest } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { fetchBody, ODD_TEXT, toFetchRequest } from "../test/binding.js";
import { APPS, handlerOptions, NOW_MS, recordingReceive, signed, standingClock } from "../test/harness.js";
import { signedBatch, signedSpi } from "../test/signed-bodies.js";
import { createFetchHandler } from "./fetch-handler.js";
import type { HttpLimits } from "./limits.js";
import { createSpiVerifier } from "./spi-verifier.js";

const FORM = { "content-type": "application/x-www-form-urlencoded" };

function given(limits: Partial<HttpLimits> = {}) {
	const recorded = recordingReceive();
	const handler = createFetchHandler({ ...handlerOptions(recorded.receive), limits });
	const texts = () => recorded.reports.map(({ requestParam }) => requestParam);
	return { handler, texts };
}

/** A body that never ends, and how many bytes of it were taken. */
function endless(piece: number, pauseMs = 0) {
	let taken = 0;
	let isCancelled = false;
	const stream = new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
				taken += piece;
				controller.enqueue(new Uint8Array(piece).fill(0x61));
			},
			cancel() {
				isCancelled = true;
			},
		},
		{ highWaterMark: 0 },
	);
	const request = new Request("http://h/router/rest?format=json", {
		method: "POST",
		headers: FORM,
		body: stream,
		duplex: "half",
	});
	return { request, taken: () => taken, isCancelled: () => isCancelled };
}

async function codeOf(response: Promise<Response>): Promise<number> {
	const text = await (await response).text();
	transcribe("http", text);
	return JSON.parse(text).error_response.code;
}

describe("a fetch handler", () => {
	it("counts a body while it streams, and takes no more of one that is too large", async () => {
		const { handler, texts } = given({ maxBodyBytes: 10_000 });
		const body = endless(4_000);
		expect(await codeOf(handler(body.request))).toBe(41);
		expect(body.taken()).toBe(12_000);
		expect(body.isCancelled()).toBe(true);
		expect(texts()).toEqual([]);
	});

	it("does not read a body that says that it is too large", async () => {
		const { handler } = given({ maxBodyBytes: 10 });
		const body = endless(4_000);
		body.request.headers.set("content-length", "11");
		expect(await codeOf(handler(body.request))).toBe(41);
		expect(body.taken()).toBe(0);
	});

	it("gives a slow body up in time, and asks for it again", async () => {
		const { handler } = given({ bodyTimeMs: 60 });
		const body = endless(1, 20);
		expect(await codeOf(handler(body.request))).toBe(15);
		expect(body.isCancelled()).toBe(true);
	});

	it("gives up the body that began first when too many are read at once", async () => {
		const { handler } = given({ maxReading: 1, bodyTimeMs: 60_000 });
		const first = handler(endless(1, 10).request);
		const second = await handler(toFetchRequest(signed()));
		expect(await second.text()).toContain('"consume_state":1');
		expect(await codeOf(first)).toBe(15);
	});

	it("says so when somebody else has read the body", async () => {
		const { handler } = given();
		const request = toFetchRequest(signed());
		await request.text();
		expect(await codeOf(handler(request))).toBe(15);
	});

	it("survives a body that fails", async () => {
		const { handler } = given();
		const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
		const request = new Request("http://h/router/rest", {
			method: "POST",
			headers: FORM,
			body,
			duplex: "half",
		});
		expect(await (await handler(request)).text()).toContain("isp.");
	});

	it("answers 404 to other paths and 9 to other verbs, and neither is kept by a cache", async () => {
		const { handler } = given();
		const other = await handler(new Request("http://h/other"));
		expect([other.status, other.headers.get("cache-control")]).toEqual([404, "no-store"]);
		const put = await handler(new Request("http://h/router/rest?format=json", { method: "PUT", body: "x" }));
		expect([put.status, put.headers.get("cache-control")]).toEqual([200, "no-store"]);
		expect(await put.text()).toContain('"code":9');
	});

	it("leaves packing to whoever serves its answers, unless it is told to do it", async () => {
		const headers = { ...FORM, "accept-encoding": "gzip" };
		const asking = () =>
			new Request("http://h/router/rest?format=json", { method: "POST", headers, body: "a=b" });
		const encodingOf = async (response: Promise<Response>) =>
			(await response).headers.get("content-encoding");
		const options = handlerOptions(recordingReceive().receive);
		expect(await encodingOf(createFetchHandler(options)(asking()))).toBe(null);
		expect(await encodingOf(createFetchHandler({ ...options, gzip: true })(asking()))).toBe("gzip");
	});

	it.each(["form", "body", "query", "multipart"] as const)(
		"takes odd text exactly, sent as %s",
		async (place) => {
			const { handler, texts } = given();
			const body = await fetchBody(handler, signed({ place, requestParam: ODD_TEXT }));
			expect(body).toContain('"consume_state":1');
			expect(texts()).toEqual([ODD_TEXT]);
		},
	);

	it("takes a batch and a JSON body of the SPI direction exactly", async () => {
		const gateway = given();
		expect(await fetchBody(gateway.handler, signedBatch([ODD_TEXT, "{}"]))).toContain('"consume_state":1');
		expect(gateway.texts()).toEqual([ODD_TEXT, "{}"]);
		const recorded = recordingReceive();
		const verifier = createSpiVerifier({ apps: APPS, clock: standingClock() });
		const spi = createFetchHandler({ ...handlerOptions(recorded.receive), verifier, direction: "spi" });
		expect(await fetchBody(spi, signedSpi(JSON.stringify({ request_param: ODD_TEXT })))).toContain("SUCCESS");
		expect(recorded.reports.map(({ requestParam }) => requestParam)).toEqual([ODD_TEXT]);
	});

	it("declares that it never sees a body with GET", async () => {
		const { handler } = given();
		expect(handler.supports).toEqual({ getBody: false });
		const options = { secret: TEST_SECRET, appKey: TEST_APP_KEY, now: NOW_MS, requestParam: "{}" };
		const response = await handler(toFetchRequest(signedRequest({ ...options, place: "get-with-body" })));
		expect(await response.text()).toContain("<code>21</code>");
	});
});

// Whatever comes to the paths of either direction: an answer that its sender can read, and nothing that is handed over.

import { takeApart } from "@reelkeep/harness/signed-body";
import { transcribe } from "@reelkeep/harness/transcript";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ODD_TEXT } from "../test/binding.js";
import { APPS, handlerOptions, recordingReceive, signed, standingClock } from "../test/harness.js";
import { signedBatch, signedSpi, signedSpiForm } from "../test/signed-bodies.js";
import type { TopRequest } from "./exchange.js";
import { pathOf } from "./node-handler.js";
import { createRoutes } from "./routes.js";
import { createSpiVerifier } from "./spi-verifier.js";

const recorded = recordingReceive();
const options = handlerOptions(recorded.receive);
const spiVerifier = createSpiVerifier({ apps: APPS, clock: standingClock() });
const ROUTES = [
	createRoutes(options),
	createRoutes({ ...options, direction: "spi", verifier: spiVerifier }),
] as const;

const ERROR =
	/^(?:\{"error_response":\{"code":\d+,|<error_response><code>\d+<|\{"flag":"failure","sub_code":"[\w.:-]+",)/;

async function answer(request: TopRequest): Promise<string> {
	const path = pathOf(request.target);
	const handle = ROUTES[0](path) ?? ROUTES[1](path);
	const body = String((await handle?.(request))?.body);
	transcribe("http", body);
	return body;
}

const pieces = fc.oneof(
	fc.string({ unit: "binary" }),
	fc.constantFrom(
		"a=1",
		"&",
		"=",
		"%",
		"sign=",
		"format=json&",
		"#PUBLIC#",
		"\r\n-S-\r\n",
		"N",
		"{",
		"}",
		'"',
	),
);
const garbage: fc.Arbitrary<TopRequest> = fc.record({
	method: fc.oneof(fc.constantFrom("POST", "GET"), fc.string()),
	target: fc
		.tuple(fc.constantFrom("/router/rest", "/router/batch", "/spi"), fc.array(pieces))
		.map(([path, query]) => `${path}?${query.join("")}`),
	headers: fc
		.record({
			"content-type": fc.constantFrom(
				"application/x-www-form-urlencoded",
				"multipart/form-data; boundary=a",
				"application/json",
				"",
			),
			"top-api-separator": fc.oneof(fc.constant("|"), fc.string()),
			"top-sign-list": fc.oneof(fc.constant("x-top-trace"), fc.string()),
		})
		.map((headers) => new Map(Object.entries(headers))),
	body: fc.oneof(
		fc.uint8Array({ maxLength: 200 }),
		fc.array(pieces).map((texts) => Buffer.from(texts.join(""))),
	),
});

const AUTHENTIC = [
	...(["form", "body", "query", "multipart"] as const).map((place) =>
		signed({ place, requestParam: ODD_TEXT }),
	),
	signedBatch([ODD_TEXT, "{}"]),
	signedSpi(`{"request_param":${ODD_TEXT}}`),
	signedSpiForm(ODD_TEXT),
].map(takeApart);

/** One bit of what is signed, turned over: in the query or in the body. */
function flip(request: TopRequest & { readonly body: Buffer }, bit: number): TopRequest {
	const start = pathOf(request.target).length + 1;
	const bytes = Buffer.concat([Buffer.from(request.target.slice(start), "latin1"), request.body]);
	const at = bit % (bytes.length * 8);
	bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
	const cut = request.target.length - start;
	const target = request.target.slice(0, start) + bytes.toString("latin1", 0, cut);
	return { ...request, target, body: bytes.subarray(cut) };
}

describe("a path of either direction", () => {
	it("answers any garbage with an error that its sender reads, and hands nothing over", async () => {
		await fc.assert(
			fc.asyncProperty(garbage, async (request) => {
				expect(await answer(request)).toMatch(ERROR);
			}),
			{ numRuns: 1500 },
		);
		expect(recorded.reports).toEqual([]);
	});

	it("takes each authentic request, and with one bit turned over none that says something else", async () => {
		for (const request of AUTHENTIC) {
			recorded.reports.length = 0;
			expect(await answer(request)).toContain('"consume_state":1');
			const texts = recorded.reports.map(({ requestParam }) => requestParam);
			await fc.assert(
				fc.asyncProperty(fc.nat(), async (bit) => {
					recorded.reports.length = 0;
					const body = await answer(flip(request, bit));
					// The case of a hexadecimal digit, or of a boundary's own headers, is signed by nobody.
					if (recorded.reports.length === 0) expect(body).toMatch(ERROR);
					else expect(recorded.reports.map(({ requestParam }) => requestParam)).toEqual(texts);
				}),
				{ numRuns: 400 },
			);
		}
		recorded.reports.length = 0;
	}, 20_000);
});

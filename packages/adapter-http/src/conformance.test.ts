import { type IngressHarness, ingressSuite, type SenderVerdict } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { signedRequest } from "@reelkeep/testing";
import { APPS, handlerOptions, NOW_MS } from "../test/harness.js";
import { cloudSpiRequest, signedParameters } from "../test/signed-cloud-spi.js";
import { createCloudSpiVerifier } from "./cloud-spi-verifier.js";
import type { TopRequest } from "./exchange.js";
import { createHttpIngress } from "./http-ingress.js";
import { DEFAULT_HTTP_LIMITS } from "./limits.js";

type Place = "form" | "query" | "multipart";

/** Sends as an SDK that puts `request_param` into `place`. */
const harnessOf = (place: Place) => async (): Promise<IngressHarness> => {
	const { receive: _, ...options } = handlerOptions(async () => ({ _tag: "Refused", message: "unused" }));
	return {
		ingress: createHttpIngress({ ...options, stopTimeMs: 2000 }),
		appKey: TEST_APP_KEY,
		maxRequestParamBytes: DEFAULT_HTTP_LIMITS.maxBodyBytes,
		async send({ address = "" }, requestParam, proof, headers = {}) {
			const signed = { appKey: TEST_APP_KEY, secret: TEST_SECRET, now: NOW_MS, requestParam, place };
			const afterSigning = proof === "forged" ? { sign: "0".repeat(32) } : {};
			return verdictOf((await sendRaw(address, signedRequest({ ...signed, afterSigning, headers }))).body);
		},
		dispose: async () => {},
	};
};

/** Sends as the platform is believed to in the direction `cloud-spi`. */
async function cloudSpiHarness(): Promise<IngressHarness> {
	const { receive: _, ...options } = handlerOptions(async () => ({ _tag: "Refused", message: "unused" }));
	const verifier = createCloudSpiVerifier({ apps: APPS, clock: options.clock });
	let nonces = 0;
	return {
		ingress: createHttpIngress({ ...options, verifier, direction: "cloud-spi", stopTimeMs: 2000 }),
		appKey: TEST_APP_KEY,
		maxRequestParamBytes: DEFAULT_HTTP_LIMITS.maxBodyBytes,
		async send({ address = "" }, requestParam, proof, headers = {}) {
			const signatureNonce = `nonce-${String(nonces++).padStart(8, "0")}`;
			const secret = proof === "forged" ? "another" : TEST_SECRET;
			const sent = signedParameters({ signatureNonce, request_param: requestParam }, { secret });
			return verdictOf((await sendRaw(address, toBytes(cloudSpiRequest(sent), headers))).body);
		},
		dispose: async () => {},
	};
}

function toBytes(
	{ method, target, headers, body }: TopRequest,
	more: Readonly<Record<string, string>>,
): Buffer {
	const bytes = body instanceof Uint8Array ? body : new Uint8Array();
	const own = [
		["host", "reelkeep"],
		["connection", "close"],
		["content-length", String(bytes.length)],
	];
	const lines = [...own, ...headers, ...Object.entries(more)].map(([name, value]) => `${name}: ${value}`);
	return Buffer.concat([Buffer.from([`${method} ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n")), bytes]);
}

function verdictOf(body: string): SenderVerdict {
	if (body.includes('"consume_state":1')) return "success";
	return /"sub_code":"(?:isp|accesscontrol)\./.test(body) ? "retry" : "rejected";
}

for (const place of ["form", "query", "multipart"] as const) {
	describeConformance(`the HTTP ingress, by ${place}`, ingressSuite(harnessOf(place)), { skips: [] });
}
describeConformance("the HTTP ingress, by Alibaba Cloud's SPI", ingressSuite(cloudSpiHarness), { skips: [] });

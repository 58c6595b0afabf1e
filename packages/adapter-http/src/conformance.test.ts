import { type IngressHarness, ingressSuite, type SenderVerdict } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { signedRequest } from "@reelkeep/testing";
import { handlerOptions, NOW_MS } from "../test/harness.js";
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

function verdictOf(body: string): SenderVerdict {
	if (body.includes('"consume_state":1')) return "success";
	return /"sub_code":"(?:isp|accesscontrol)\./.test(body) ? "retry" : "rejected";
}

for (const place of ["form", "query", "multipart"] as const) {
	describeConformance(`the HTTP ingress, by ${place}`, ingressSuite(harnessOf(place)), { skips: [] });
}

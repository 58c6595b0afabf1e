import { status as Code } from "@grpc/grpc-js";
import { type IngressHarness, ingressSuite, type SenderVerdict } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { type Failure, ingressOptions, raw, testClient } from "../test/harness.js";
import { createGrpcIngress } from "./grpc-ingress.js";
import { DEFAULT_GRPC_LIMITS } from "./limits.js";
import { createTokenVerifier } from "./tokens.js";

const TOKEN = "a-token-that-nobody-guesses";
const callers = createTokenVerifier({ relay: TOKEN });

/** Sends on a call of its own, or as the only report of a stream. */
const harnessOf = (way: "call" | "stream") => async (): Promise<IngressHarness> => ({
	ingress: createGrpcIngress({ ...ingressOptions(), callers, stopTimeMs: 2_000 }),
	appKey: "relay",
	// The field's tag and length come on top.
	maxRequestParamBytes: DEFAULT_GRPC_LIMITS.maxMessageBytes,
	async send({ address = "" }, requestParam, proof, headers = {}) {
		const client = testClient(address);
		const token = proof === "forged" ? `${TOKEN}x` : TOKEN;
		const metadata = { ...headers, authorization: `Bearer ${token}` };
		try {
			if (way === "call") {
				await client.report(raw(requestParam), metadata, { deadline: Date.now() + 5_000 });
				return "success";
			}
			const { results } = await client.reportMany([raw(requestParam)], metadata);
			const [{ result } = { result: undefined }] = results;
			return result?.case === "error" ? verdictOf(result.value.code) : "success";
		} catch (error) {
			return verdictOf((error as Failure).code);
		} finally {
			client.close();
		}
	},
	dispose: async () => {},
});

function verdictOf(code: number): SenderVerdict {
	return code === Code.RESOURCE_EXHAUSTED || code === Code.UNAVAILABLE ? "retry" : "rejected";
}

for (const way of ["call", "stream"] as const) {
	describeConformance(`the gRPC ingress, by ${way}`, ingressSuite(harnessOf(way)), { skips: [] });
}

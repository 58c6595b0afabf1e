import { ingressSuite, type SenderVerdict } from "@reelkeep/core/conformance";
import { randomIds, silentLogger, systemClock } from "@reelkeep/core/container";
import { describe, expect, test } from "vitest";
import { startBroker } from "./broker.js";
import { createHmacVerifier } from "./hmac-verifier.js";
import { send } from "./producer.js";
import { createQueueIngress, MAX_REQUEST_PARAM_BYTES } from "./queue-ingress.js";
import type { Verdict } from "./verdicts.js";

const MEANINGS: Readonly<Record<Verdict, SenderVerdict>> = {
	ack: "success",
	nack: "retry",
	reject: "rejected",
};

const cases = ingressSuite(async () => {
	const broker = await startBroker();
	const app = { appKey: "1234", secret: "secret-of-the-tests" };
	const deps = { clock: systemClock, ids: randomIds, logger: silentLogger };
	const verifier = createHmacVerifier({ [app.appKey]: app.secret });
	return {
		ingress: createQueueIngress({ host: "127.0.0.1", port: broker.port }, { ...deps, verifier }),
		appKey: app.appKey,
		maxRequestParamBytes: MAX_REQUEST_PARAM_BYTES,
		async send(_, requestParam, proof) {
			const secret = proof === "forged" ? "another-secret" : app.secret;
			return MEANINGS[await send(broker.port, { appKey: app.appKey, secret, requestParam }, 2000)];
		},
		dispose: () => broker.close(),
	};
});

describe("the queue ingress", () => {
	for (const { clause, name, run } of cases) {
		test(`${clause}: ${name}`, async () => expect(await run()).toBe("passed"));
	}
});

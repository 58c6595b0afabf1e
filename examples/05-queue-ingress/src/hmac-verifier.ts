// Whose a message is: the sender signs `request_param` with its app's secret, HMAC-SHA256 in hex.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Verification, Verifier } from "@reelkeep/core/ports";

export function createHmacVerifier(apps: Readonly<Record<string, string>>): Verifier {
	const secrets = new Map(Object.entries(apps));
	for (const secret of secrets.values()) if (secret === "") throw new TypeError("an app's secret is empty");
	return {
		async verify({ parameters, body }): Promise<Verification> {
			const appKey = parameters.get("app_key") ?? "";
			const secret = secrets.get(appKey);
			if (secret === undefined) return refusal("unknown-app-key", "the app is not known");
			const expected = Buffer.from(sign(secret, body));
			const actual = Buffer.from(parameters.get("sign") ?? "");
			if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) {
				return refusal("wrong-signature", "the signature is not the app's");
			}
			const requestSha256 = createHash("sha256").update(body).digest("hex");
			return { _tag: "Authentic", appKey, receipt: { scheme: "hmac-sha256", requestSha256 } };
		},
	};
}

export function sign(secret: string, body: Uint8Array | string): string {
	return createHmac("sha256", secret).update(body).digest("hex");
}

function refusal(reason: "unknown-app-key" | "wrong-signature", message: string): Verification {
	return { _tag: "NotAuthentic", reason, message };
}

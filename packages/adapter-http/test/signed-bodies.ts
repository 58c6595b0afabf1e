// Requests of the test app whose raw body is signed: batches, and the SPI direction.

import { signedBodyRequest } from "@reelkeep/harness/signed-body";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { signTop } from "@reelkeep/testing";
import { NOW_MS } from "./harness.js";

const METHOD = "alibaba.cgame.avatar.video.record.report";
export const SEPARATOR = "\r\n-S-\r\n";

type Texts = Readonly<Record<string, string>>;

export interface BodyOptions {
	/** Changes, adds or (`undefined`) removes public parameters before signing. */
	readonly parameters?: Readonly<Record<string, string | undefined>>;
	/** Headers to add. */
	readonly headers?: Texts;
	readonly secret?: string;
}

/** A batch of urlencoded calls, one for each text, as Java's client sends it. */
export function signedBatch(
	requestParams: readonly string[],
	options: BodyOptions & { readonly separator?: string } = {},
): Buffer {
	const { separator = SEPARATOR } = options;
	const calls = requestParams.map((text) => `request_param=${encodeURIComponent(text)}`);
	return rawBatch([`#PUBLIC#method=${METHOD}`, ...calls].join(separator), options);
}

/** A batch with exactly this body. */
export function rawBatch(body: string, { secret = TEST_SECRET, ...options }: BodyOptions = {}): Buffer {
	const sender = { secret, appKey: TEST_APP_KEY, now: NOW_MS, signMethod: "hmac-sha256" } as const;
	return signedBodyRequest({ path: "/router/batch", body, ...sender, ...options });
}

/** What only gateways ask for. */
const NOT_SPI = { format: undefined, sign_method: undefined, v: undefined };

/** A call of the SPI direction with exactly this body; `signedHeaders` are signed, `headers` are not. */
export function signedSpi(
	body: string,
	options: BodyOptions & { readonly signedHeaders?: Texts } = {},
): Buffer {
	const { secret = TEST_SECRET, parameters, headers, ...more } = options;
	const signMethod = parameters?.sign_method === "hmac-sha256" ? "hmac-sha256" : "md5";
	return signedBodyRequest({
		...{ path: "/spi", secret, appKey: TEST_APP_KEY, now: NOW_MS, body, signMethod, ...more },
		parameters: { ...NOT_SPI, method: METHOD, ...parameters },
		headers: { "Content-Type": "application/json", ...headers },
	});
}

/** The same callback as a form, whose fields are signed. */
export function signedSpiForm(requestParam: string): Buffer {
	const query: Texts = { app_key: TEST_APP_KEY, method: METHOD, timestamp: String(NOW_MS) };
	const sign = signTop(Object.entries({ ...query, request_param: requestParam }), TEST_SECRET, "md5");
	return signedBodyRequest({
		...{ path: "/spi", secret: TEST_SECRET, appKey: TEST_APP_KEY, now: NOW_MS },
		body: `request_param=${encodeURIComponent(requestParam)}`,
		parameters: { ...NOT_SPI, ...query },
		afterSigning: { sign },
		headers: { "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8" },
	});
}

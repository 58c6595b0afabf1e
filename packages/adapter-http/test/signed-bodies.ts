// Requests whose raw body is signed: batches, and the SPI direction. Signed here, by the rules of docs/top-protocol.md,
// not by the product.

import { createHash, createHmac } from "node:crypto";
import { chinaTime } from "@reelkeep/testing/top-request";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/testing/transcript";
import { NOW_MS } from "./harness.js";

const METHOD = "alibaba.cgame.avatar.video.record.report";
export const SEPARATOR = "\r\n-S-\r\n";

type Parameters = Readonly<Record<string, string | undefined>>;

export interface BodyOptions {
	/** Changes, adds or (`undefined`) removes public parameters before signing. */
	readonly parameters?: Parameters;
	/** Headers to add. */
	readonly headers?: Readonly<Record<string, string>>;
	readonly secret?: string;
}

export interface BatchOptions extends BodyOptions {
	/** Stands before the calls; `undefined` for none. Default: the method for all. */
	readonly shared?: string | undefined;
	readonly separator?: string;
}

/** A batch of urlencoded calls, one for each text, as Java's client sends it. */
export function signedBatch(requestParams: readonly string[], options: BatchOptions = {}): Buffer {
	const { separator = SEPARATOR, shared = `#PUBLIC#method=${METHOD}` } = options;
	const calls = requestParams.map((text) => `request_param=${encodeURIComponent(text)}`);
	return rawBatch(
		[...("shared" in options && options.shared === undefined ? [] : [shared]), ...calls].join(separator),
		options,
	);
}

/** A batch with exactly this body. */
export function rawBatch(body: string, options: BatchOptions = {}): Buffer {
	const parameters = {
		app_key: TEST_APP_KEY,
		timestamp: chinaTime(NOW_MS),
		v: "2.0",
		format: "json",
		sign_method: "hmac-sha256",
		...options.parameters,
	};
	return post("/router/batch", parameters, "text/plain;charset=UTF-8", body, options);
}

/** A call of the SPI direction with exactly this body. */
export function signedSpi(
	body: string,
	options: BodyOptions & { readonly contentType?: string } = {},
): Buffer {
	const parameters = {
		app_key: TEST_APP_KEY,
		method: METHOD,
		timestamp: chinaTime(NOW_MS),
		...options.parameters,
	};
	const list = options.headers?.["top-sign-list"]?.split(",") ?? [];
	const signedHeaders = list.map((name): [string, string] => [name, options.headers?.[name] ?? ""]);
	const { contentType = "application/json" } = options;
	return post("/spi", parameters, contentType, body, options, signedHeaders);
}

function post(
	path: string,
	parameters: Parameters,
	contentType: string,
	body: string,
	{ headers = {}, secret = TEST_SECRET }: BodyOptions,
	signedHeaders: readonly [string, string][] = [],
): Buffer {
	const sent = Object.entries(parameters).filter(
		(entry): entry is [string, string] => entry[1] !== undefined,
	);
	const isForm = contentType.startsWith("application/x-www-form-urlencoded");
	const form = isForm ? [...new URLSearchParams(body)] : [];
	const text = [...sent, ...signedHeaders, ...form]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.flat()
		.join("");
	const sign = signText(text + (isForm ? "" : body), secret, new Map(sent).get("sign_method") ?? "md5");
	const query = [...sent, ["sign", sign] as const]
		.map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
		.join("&");
	const lines = Object.entries({ Host: "127.0.0.1", "Content-Type": contentType, ...headers }).map(
		([name, value]) => `${name}: ${value}`,
	);
	const bytes = Buffer.from(body);
	const head = [`POST ${path}?${query} HTTP/1.1`, ...lines, `Content-Length: ${bytes.length}`, "", ""];
	return Buffer.concat([Buffer.from(head.join("\r\n"), "latin1"), bytes]);
}

function signText(text: string, secret: string, method: string): string {
	const digest =
		method === "md5"
			? createHash("md5").update(secret + text + secret)
			: createHmac(method === "hmac" ? "md5" : "sha256", secret).update(text);
	return digest.digest("hex").toUpperCase();
}

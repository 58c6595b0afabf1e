// What hostile requests are made of: authentic callbacks of a few recordings, sent in every way, and authentic texts that
// no receiver can decode. However often they are sent, what is stored of them is known.

import { createHash } from "node:crypto";
import { type SignMethod, sampleCallback, signedRequest } from "@reelkeep/testing";
import type { Draw } from "./hostile-random.js";
import { signedBodyRequest } from "./signed-body.js";
import { TEST_APP_KEY, TEST_SECRET } from "./transcript.js";

export interface Material {
	/** A call whose recording is known. */
	good(draw: Draw): Buffer;
	/** A batch of such calls, and how many they are. */
	batch(draw: Draw): { readonly bytes: Buffer; readonly calls: number };
	/** An authentic call that ends in quarantine. */
	undecodable(draw: Draw): Buffer;
	/** A call of the test app, signed like an SDK's. */
	call(options: Partial<Parameters<typeof signedRequest>[0]>): Buffer;
	/** Each known callback and each undecodable text once. */
	readonly everything: readonly { readonly bytes: Buffer; readonly word: "success" | "50" }[];
	/** An authentic call of a recording that must never be stored. */
	readonly hidden: Buffer;
}

const METHOD = "alibaba.cgame.avatar.video.record.report";
const RECORDINGS = 50;
/** More nesting than fits on a stack, and as much as fits into a body. */
const DEEP_ARRAYS = 100_000;
const DEEP_OBJECTS = 50_000;
/** Stands in the hidden recording only. */
export const HIDDEN_TRACK = "hidden-recording";

const trackOf = (index: number): string =>
	`hostile-${index}-${["游戏", "é", "🎮", "a/../b", "\u0000"][index % 5]}`;

/** The `track_info` of every recording that may be stored. */
export const KNOWN_TRACKS: readonly string[] = Array.from({ length: RECORDINGS }, (_, index) =>
	trackOf(index),
);

const CALLBACKS: readonly string[] = KNOWN_TRACKS.map((track_info, index) => {
	const callback = sampleCallback({ track_info });
	if (index % 7 === 1) return JSON.stringify({ ...callback, account_domain: "0", version: "1" });
	if (index % 7 === 2) return JSON.stringify(callback, null, " ");
	if (index % 7 === 3) return JSON.stringify(callback).replace("{", '{"__proto__":{"a":1},"constructor":1,');
	if (index % 7 === 4) return JSON.stringify(callback).replaceAll("/", "\\/");
	return JSON.stringify(callback);
});

const UNDECODABLE: readonly string[] = [
	"[".repeat(DEEP_ARRAYS) + "]".repeat(DEEP_ARRAYS),
	'{"":'.repeat(DEEP_OBJECTS) + "}".repeat(DEEP_OBJECTS - 1),
	JSON.stringify(sampleCallback({ track_info: "deep" })).replace("{", `{"x":${"[".repeat(9_000)},`),
	"not json",
	"{'python': u'dict'}",
	JSON.stringify(sampleCallback({ game_id: undefined })),
	JSON.stringify(sampleCallback({ account_id: { toString: 1 }, download_url: ["x"], expire_time: {} })),
	'{"__proto__":{"game_id":"g"},"constructor":{"prototype":{}}}',
	`{"expire_time":${"9".repeat(400)}}`,
	"null",
];

/** SHA-256, in lower-case hex, of every text that may be in quarantine. */
export const KNOWN_UNDECODABLE: readonly string[] = UNDECODABLE.map((text) =>
	createHash("sha256").update(text).digest("hex"),
);

const WAYS: readonly {
	readonly place: "form" | "body" | "query" | "get-with-body" | "multipart";
	readonly signMethod: SignMethod;
	readonly parameters: Readonly<Record<string, string | undefined>>;
	readonly headers?: Readonly<Record<string, string>>;
}[] = [
	{ place: "form", signMethod: "hmac-sha256", parameters: { format: "json", partner_id: "top-apitools" } },
	{ place: "form", signMethod: "md5", parameters: { format: "json", simplify: "true", session: "s1" } },
	{ place: "body", signMethod: "hmac", parameters: { format: "xml" } },
	{ place: "query", signMethod: "md5", parameters: { format: undefined } },
	{ place: "get-with-body", signMethod: "md5", parameters: { format: "json" } },
	{ place: "multipart", signMethod: "md5", parameters: { customerId: "stub", format: "json" } },
	{ place: "form", signMethod: "md5", parameters: {}, headers: { "Accept-Encoding": "gzip,deflate" } },
];

/** Signs everything anew: good for ten minutes. `now`: UTC milliseconds. */
export function createMaterial(now: number): Material {
	const call: Material["call"] = (options) =>
		signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now, requestParam: "{}", ...options });
	const good = CALLBACKS.flatMap((requestParam) => WAYS.map((way) => call({ requestParam, ...way })));
	const undecodable = UNDECODABLE.map((requestParam) => call({ requestParam, place: "multipart" }));
	const batches = Array.from({ length: 40 }, (_, index) => batchOf(now, index));
	return {
		call,
		good: (draw) => draw.pick(good),
		batch: (draw) => draw.pick(batches),
		everything: [
			...CALLBACKS.map((requestParam) => ({ bytes: call({ requestParam }), word: "success" as const })),
			...undecodable.map((bytes) => ({ bytes, word: "50" as const })),
		],
		// The long ones cost a hundred times what the others do.
		undecodable: (draw) => draw.pick(draw.once(20) ? undecodable : undecodable.slice(3)),
		hidden: call({ requestParam: JSON.stringify(sampleCallback({ track_info: HIDDEN_TRACK })) }),
	};
}

function batchOf(now: number, index: number): { readonly bytes: Buffer; readonly calls: number } {
	const calls = 1 + (index % 8);
	const texts = Array.from({ length: calls }, (_, at) => {
		const requestParam = CALLBACKS[(index * 3 + at) % CALLBACKS.length] ?? "";
		return `method=${METHOD}&request_param=${encodeURIComponent(requestParam)}`;
	});
	const bytes = signedBodyRequest({
		path: "/router/batch",
		secret: TEST_SECRET,
		appKey: TEST_APP_KEY,
		now,
		body: texts.join("\r\n-S-\r\n"),
		parameters: { format: index % 3 === 0 ? "xml" : "json" },
	});
	return { bytes, calls };
}

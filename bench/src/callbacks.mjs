// What a sender sends, and what a receiver of its own would do with it: the whole way of a callback but for the store.

import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { parse } from "node:querystring";
import { crc32 } from "node:zlib";
// As built: the guard of the root has no modules of this workspace.
import { sampleCallback, signedRequest } from "../../packages/testing/dist/index.js";

export const APP = { appKey: "12345678", secret: "a-secret-of-the-benchmark" };

/** Signed callbacks, each of another recording: raw requests as Java's SDK places their parameters. */
export function createRequests(count, run) {
	const now = Date.now();
	return Array.from({ length: count }, (_, index) => {
		const track = `${run}-${index.toString().padStart(8, "0")}`;
		const expires = Math.floor(now / 1000) + 7_200;
		const link = `http://ali-cloudgame.oss-cn-zhangjiakou.aliyuncs.com/${track}.mp4?OSSAccessKeyId=LTAI4FrVZfkTUiNQ2hu8Z4uk&Expires=${expires}&Signature=0EULWMQnEjKQs8cHFlLttlZaFiI%3D`;
		const callback = sampleCallback({ track_info: track, download_url: link, expire_time: expires * 1000 });
		return signedRequest({ ...APP, now, requestParam: JSON.stringify(callback), place: "body" });
	});
}

/**
 * A form's callback, verified and parsed, as a peer does it: MD5 over the sorted parameters, then JSON. Checks less than
 * Reelkeep does. Throws when the signature is another one.
 */
export function readCallback(body) {
	const parameters = typeof body === "string" ? parse(body) : body;
	const { sign, ...signed } = parameters;
	const text = Object.keys(signed)
		.sort()
		.map((name) => name + signed[name])
		.join("");
	const expected = createHash("md5").update(`${APP.secret}${text}${APP.secret}`).digest("hex").toUpperCase();
	if (sign !== expected) throw new Error("the signature is another one");
	const callback = JSON.parse(parameters.request_param);
	const stream = createHash("sha256")
		.update(`${callback.project_id}\0${callback.track_info}\0${callback.download_url.split("?")[0]}`)
		.digest("hex");
	const event = {
		id: crypto.randomUUID(),
		type: "RecordingReported",
		schemaVersion: 1,
		data: callback,
		metadata: { ingress: "http", appKey: APP.appKey },
	};
	return { stream, event };
}

const KEY = randomBytes(32);

/** What no receiver that keeps its promises can leave out, in as few lines: prove, parse, name, seal, encode. Nothing is stored. */
export function leastWork(body) {
	const { stream, event } = readCallback(body);
	const nonce = randomBytes(12);
	const cipher = createCipheriv("aes-256-gcm", KEY, nonce).setAAD(Buffer.from(stream));
	const link = cipher.update(event.data.download_url, "utf8");
	const sealed = Buffer.concat([nonce, link, cipher.final(), cipher.getAuthTag()]);
	const data = { ...event.data, download_url: sealed.toString("base64url") };
	return crc32(JSON.stringify({ stream, version: 1, ...event, data }));
}

export const SUCCESS =
	'{"alibaba_cgame_avatar_video_record_report_response":{"result":{"code":"0","data":{"message":"Consumer Success","consume_state":1},"message":"SUCCESS"},"request_id":"bench"}}';

// Sends one callback to a running receiver, signed as the SDKs sign: `pnpm send URL APP_KEY SECRET [LINK]`.

import { randomUUID } from "node:crypto";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { sampleCallback, signedRequest } from "@reelkeep/testing";

const [url, appKey, secret, link] = process.argv.slice(2);
if (url === undefined || appKey === undefined || secret === undefined) {
	console.error("usage: pnpm send http://HOST:PORT APP_KEY SECRET [LINK]");
	process.exit(2);
}
const callback = sampleCallback({
	track_info: randomUUID(),
	...(link === undefined ? {} : { download_url: link }),
});
const requestParam = JSON.stringify(callback);
const { status, body } = await sendRaw(url, signedRequest({ secret, appKey, now: Date.now(), requestParam }));
console.log(`HTTP ${status} ${body}`);

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { videoSourceSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { createHttpVideoSource } from "./http-video-source.js";
import { startVideoOrigin } from "./test-video-origin.js";

const LIMITS = { idleTimeoutMs: 1_000, maxBytes: 4 * 1024 * 1024 };
const ANSWER_TIMEOUT_MS = 1_000;

for (const [known, conditions] of [
	["If-Match and If-Range", { knowsIfMatch: true }],
	["only If-Range", { knowsIfMatch: false }],
] as const) {
	const cases = videoSourceSuite(async () => {
		const { serve, strayLink, underWay, close } = await startVideoOrigin(conditions);
		const redirects = await startRedirects();
		return {
			...LIMITS,
			answerTimeoutMs: ANSWER_TIMEOUT_MS,
			source: createHttpVideoSource({
				...LIMITS,
				firstByteTimeoutMs: ANSWER_TIMEOUT_MS,
				allowHosts: ["127.0.0.1"],
				allowPrivateNetwork: true,
			}),
			supports: {
				resume: true,
				checksums: true,
				expiry: true,
				refusal: true,
				patience: true,
				silence: true,
				limits: true,
				policy: true,
				redirects: true,
			},
			serve: (name, object) =>
				object.redirectsTo === undefined ? serve(name, object) : redirects.serve(name, object.redirectsTo),
			strayLink,
			underWay,
			async dispose() {
				await close();
				redirects.close();
			},
		};
	});
	describeConformance(`the HTTP source, of an origin that knows ${known},`, cases, { skips: [] });
}

/** An origin that sends whoever asks it to another link. */
async function startRedirects() {
	const targets = new Map<string, string>();
	const server = createServer(({ url = "" }, response) => {
		const location = targets.get(url.slice(1, url.indexOf("?"))) ?? "";
		response.writeHead(302, { location, connection: "close" }).end();
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	return {
		serve(name: string, target: string): string {
			targets.set(name, target);
			return `http://127.0.0.1:${port}/${name}?Expires=4102444800&Signature=c2lnbmF0dXJlLW9mLWEtcmVkaXJlY3Q`;
		},
		close() {
			server.close();
			server.closeAllConnections();
		},
	};
}

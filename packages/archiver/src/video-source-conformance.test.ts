import { videoSourceSuite } from "@reelkeep/core/conformance";
import { describe, expect, test } from "vitest";
import { createHttpVideoSource } from "./http-video-source.js";
import { startVideoOrigin } from "./test-video-origin.js";

const LIMITS = { idleTimeoutMs: 1_000, maxBytes: 4 * 1024 * 1024 };

describe.each([
	["If-Match and If-Range", { knowsIfMatch: true }],
	["only If-Range", { knowsIfMatch: false }],
])("the HTTP source, of an origin that knows %s,", (_, conditions) => {
	for (const { name, run } of videoSourceSuite(async () => {
		const { serve, strayLink, underWay, close } = await startVideoOrigin(conditions);
		return {
			...LIMITS,
			source: createHttpVideoSource({ ...LIMITS, allowHosts: ["127.0.0.1"], allowPrivateNetwork: true }),
			supports: {
				resume: true,
				checksums: true,
				expiry: true,
				refusal: true,
				patience: true,
				silence: true,
				limits: true,
				policy: true,
			},
			serve,
			strayLink,
			underWay,
			dispose: close,
		};
	})) {
		test(name, async () => expect(await run()).toBe("passed"));
	}
});

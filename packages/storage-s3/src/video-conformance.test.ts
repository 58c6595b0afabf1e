import { videoStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { describe } from "vitest";
import { missing, s3Harness, useServer, wayTo } from "./test-s3.js";

const { server } = useServer();

describe.skipIf(missing !== undefined)("on a real server", () => {
	describeConformance(
		"the video store with small parts",
		videoStoreSuite(() => {
			const way = wayTo(server());
			// So many that what is suspended is a part and some bytes.
			return s3Harness(way, server().isOwn, way.partBytes + 40_000);
		}),
		{ skips: [], timeoutMs: 120_000 },
	);
	describeConformance(
		"the video store with parts of 8 MiB",
		videoStoreSuite(() => s3Harness({ ...wayTo(server()), partBytes: 8 * 1024 * 1024 }, server().isOwn)),
		{ skips: [], timeoutMs: 120_000 },
	);
});

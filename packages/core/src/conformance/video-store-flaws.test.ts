import { vi } from "vitest";
import { videoCommittingFlaws } from "./test-flaws-video-committing.js";
import { videoKeepingFlaws } from "./test-flaws-video-keeping.js";
import { videoPartialFlaws } from "./test-flaws-video-partials.js";
import { videoReadingFlaws } from "./test-flaws-video-reading.js";
import { videoResumingFlaws } from "./test-flaws-video-resuming.js";
import { videoWritingFlaws } from "./test-flaws-video-writing.js";
import { loneVideoFlaws } from "./test-flaws-videos-alone.js";
import { testFlaws } from "./test-suite-flaws.js";
import { passTimeAtOnce } from "./test-virtual-time.js";
import { videoStoreSuite } from "./video-store.js";

// All that there is to wait for here are pauses and hashes, of gigabytes.
vi.mock("@noble/hashes/sha2.js", () => import("./test-native-hashes.js"));
passTimeAtOnce();

const flaws = {
	...videoWritingFlaws,
	...videoCommittingFlaws,
	...videoKeepingFlaws,
	...videoReadingFlaws,
	...videoResumingFlaws,
	...videoPartialFlaws,
	...loneVideoFlaws,
};

testFlaws("video store", videoStoreSuite, flaws);

import { checkpointStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { describe } from "vitest";
import { createPostgresCheckpointStore } from "./checkpoint-store.js";
import { missing, poolHarness, useServer } from "./test-postgres.js";

const { server } = useServer();
const cases = checkpointStoreSuite(() => poolHarness(server(), createPostgresCheckpointStore));

describe.skipIf(missing !== undefined)("PostgreSQL", () => {
	describeConformance("the checkpoint store", cases, { skips: [] });
});

import { setTimeout as pause } from "node:timers/promises";
import { leaseStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { describe } from "vitest";
import { createPostgresLeaseStore } from "./lease-store.js";
import { missing, poolHarness, useServer } from "./test-postgres.js";

const { server } = useServer();

const cases = leaseStoreSuite(async () => ({
	...(await poolHarness(server(), createPostgresLeaseStore)),
	// The server runs on this machine.
	now: Date.now,
	passes: async (ms) => void (await pause(ms + 1)),
}));

describe.skipIf(missing !== undefined)("PostgreSQL", () => {
	describeConformance("the lease store", cases, { skips: [] });
});

import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { PlainCount } from "./scripts/plain-count.ts";

// Tests run on the sources of all packages; the end-to-end ones run what `tsc -b` built.
// Not `module`, which is for bundlers: the AWS SDK means files by it that Node does not load.
const conditions = ["@reelkeep/source", "node", "development|production"];

export default defineConfig({
	resolve: { conditions },
	ssr: { resolve: { conditions } },
	test: {
		// Vitest leaves one processor alone; of two that is half, and many tests wait for disks, processes and sockets.
		maxWorkers: Math.max(2, availableParallelism() - 1),
		// A transaction that one file's test holds open holds back the readers of all others in the same server.
		fileParallelism: process.env.REELKEEP_TEST_POSTGRES === undefined,
		reporters: ["default", new PlainCount()],
		globalSetup: ["scripts/transcript-setup.ts"],
		projects: [
			{
				extends: true,
				test: {
					name: "unit",
					include: ["packages/*/src/**/*.test.ts"],
					exclude: ["**/*.e2e.test.ts"],
					// Ends what hangs; a busy machine may take its time.
					testTimeout: 30_000,
				},
			},
			{
				extends: true,
				test: {
					name: "e2e",
					include: ["packages/*/src/**/*.e2e.test.ts", "examples/*/src/**/*.e2e.test.ts"],
					testTimeout: 60_000,
					hookTimeout: 30_000,
				},
			},
		],
	},
});

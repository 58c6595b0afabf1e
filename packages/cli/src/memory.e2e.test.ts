// The memory of `reelkeep serve` under good and hostile requests does not grow with their number.
//
// REELKEEP_MEMORY_REQUESTS: how many (default 10000).

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runHostile } from "@reelkeep/harness/hostile-run";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const requests = Number(process.env.REELKEEP_MEMORY_REQUESTS ?? 10_000);
const TIME_MS = 60_000 + requests * 10;
/** Between the second and the last quarter; the first one is the warm-up. */
const MAX_GROWTH = 1.15;
/** A heap that has room is collected late: what grows then is garbage. In this one, only what is kept can grow. */
const SMALL_HEAP = "--max-old-space-size=64 --max-semi-space-size=2";

const receiver = temporaryReceiver(fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url)));
let serve: Awaited<ReturnType<typeof receiver.serve>>;
beforeAll(async () => {
	vi.stubEnv("NODE_OPTIONS", SMALL_HEAP);
	serve = await receiver.serve();
	vi.unstubAllEnvs();
});
afterAll(() => receiver.dispose());

/** Resident set of a process, in KiB. */
function residentKib(pid: number): number {
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe("the memory of a receiver", () => {
	test.skipIf(!existsSync("/proc/self/status"))(
		"does not grow from the second to the last quarter of many requests (read in /proc)",
		async () => {
			const samples: number[] = [];
			const sample = (): void => void samples.push(residentKib(serve.pid));
			const { failures } = await runHostile({
				address: serve.address,
				seed: 1,
				requests,
				onProgress: sample,
			});
			expect(failures).toEqual([]);
			const size = samples.length / 4;
			const medians = [0, 1, 2, 3].map((quarter) =>
				median(samples.slice(quarter * size, (quarter + 1) * size)),
			);
			console.log(
				`${requests} requests: median MiB by quarter ${medians.map((kib) => (kib / 1024).toFixed(1)).join(", ")}`,
			);
			const [, second = 0, , last = 0] = medians;
			expect(last / second).toBeLessThanOrEqual(MAX_GROWTH);
		},
		TIME_MS,
	);
});

// Many seeds, in this thread or in several.

import { Worker } from "node:worker_threads";
import { simulate } from "./simulate.js";

export interface SeedRange {
	readonly from: number;
	/** Inclusive. */
	readonly to: number;
	/** Every so many. */
	readonly step: number;
}

export interface SeedResult {
	readonly seed: number;
	readonly violation: string | undefined;
	readonly counts: ReadonlyMap<string, number>;
}

/** Resolves when all are done, or `onResult` has returned `false`. */
export async function simulateSeeds(
	range: SeedRange,
	onResult: (result: SeedResult) => boolean,
): Promise<void> {
	for (let seed = range.from; seed <= range.to; seed += range.step) {
		const { violation, counts } = await simulate(seed);
		if (!onResult({ seed, violation, counts })) return;
	}
}

/** The same in `jobs` threads. */
export async function simulateInThreads(
	{ from, to }: Pick<SeedRange, "from" | "to">,
	jobs: number,
	onResult: (result: SeedResult) => boolean,
): Promise<void> {
	const workers = Array.from({ length: jobs }, (_, at) => {
		const range: SeedRange = { from: from + at, to, step: jobs };
		return new Worker(new URL("./seed-worker.js", import.meta.url), { workerData: range });
	});
	const endAll = (): void => {
		for (const worker of workers) void worker.terminate();
	};
	const ends = workers.map(
		(worker) =>
			new Promise<void>((resolve, reject) => {
				worker.on("message", (result: SeedResult) => {
					if (!onResult(result)) endAll();
				});
				worker.on("error", reject);
				worker.on("exit", () => resolve());
			}),
	);
	await Promise.all(ends);
}

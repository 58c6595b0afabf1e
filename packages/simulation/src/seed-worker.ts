// A thread that runs its share of the seeds and posts what came of each.

import { parentPort, workerData } from "node:worker_threads";
import { simulateSeeds } from "./seeds.js";

await simulateSeeds(workerData, (result) => {
	parentPort?.postMessage(result);
	return true;
});

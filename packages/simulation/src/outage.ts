// One outage, all orders side by side.

import { idealOutage } from "./outage-ideal.js";
import { type OutageResult, runOutage } from "./outage-line.js";
import { firstComeFirstServed, plainDeadlineOrder, reelkeepOrder } from "./outage-order.js";
import { createOutage, type OutageOptions } from "./outage-scene.js";

/** As the archiver's defaults. */
const CONCURRENCY = 8;
const PER_HOST = 4;

/** The ideal first. */
export function compareOrders(options: OutageOptions): readonly OutageResult[] {
	const scene = createOutage(options);
	const orders = [
		reelkeepOrder(scene.recordings, PER_HOST),
		plainDeadlineOrder(scene.recordings),
		firstComeFirstServed(scene.recordings),
	];
	return [idealOutage(scene), ...orders.map((order) => runOutage(scene, order, CONCURRENCY))];
}

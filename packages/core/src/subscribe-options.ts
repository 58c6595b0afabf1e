// What a subscription is started with, checked and with its defaults.

import type { SubscribeOptions } from "./subscribe.js";
import type { RunOptions } from "./subscription-run.js";

const LIMIT = 1_000_000;

/** *Errors*: throws a `RangeError` that names the option, or a `TypeError` when options contradict each other. */
export function resolveSubscribeOptions(options: SubscribeOptions): RunOptions {
	const { order = "recording", liveOnly = false, onFailure } = options;
	if (order !== "recording" && order !== "log") throw new TypeError("order is recording or log");
	const concurrency = count("concurrency", options.concurrency ?? 1, 1_000);
	const triesBeforeParking = count("triesBeforeParking", options.triesBeforeParking ?? 6);
	const maxTries = count("maxTries", options.maxTries ?? Math.max(24, triesBeforeParking));
	const maxParked = count("maxParked", options.maxParked ?? 1_000);
	if (order === "log") {
		const { concurrency: given, triesBeforeParking, maxTries, maxParked } = options;
		const isParking = [triesBeforeParking, maxTries, maxParked].some((each) => each !== undefined);
		if (isParking || (given !== undefined && given !== 1)) {
			throw new TypeError(
				"in the order of the log one event waits for another: nothing parks, nothing runs at once",
			);
		}
	}
	if (maxTries < triesBeforeParking) throw new RangeError("maxTries is less than triesBeforeParking");
	return {
		order,
		liveOnly,
		concurrency,
		triesBeforeParking: order === "log" ? undefined : triesBeforeParking,
		maxTries,
		maxParked,
		...(onFailure && { onFailure }),
	};
}

function count(name: string, value: number, most = LIMIT): number {
	if (!Number.isSafeInteger(value) || value < 1 || value > most) {
		throw new RangeError(`${name} is a whole number from 1 to ${most}`);
	}
	return value;
}

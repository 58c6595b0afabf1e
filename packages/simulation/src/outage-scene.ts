// What waits when an outage is over: recordings that came in all the while, each with a link that dies some hours later.

import { createRandom } from "./random.js";

export interface OutageScene {
	/** In the order in which they were reported. Times are milliseconds since the end of the outage. */
	readonly recordings: readonly OutageRecording[];
	/** Of the line that all downloads share. */
	readonly bytesPerSecond: number;
}

export interface OutageRecording {
	readonly stream: string;
	readonly host: string;
	readonly deadline: number;
	readonly bytes: number;
}

export interface OutageOptions {
	readonly seed: number;
	readonly recordings: number;
	readonly outageHours: number;
	/** Bandwidth as a part of what deadline order needs to keep all of them. */
	readonly load: number;
}

const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;
const HOSTS = ["eu.aliyuncs.com", "hk.aliyuncs.com", "sg.aliyuncs.com"];
const MEDIAN_BYTES = 20 * MIB;
/** Of the sizes' logarithm: a third of the bytes are in a twentieth of the videos. */
const SPREAD = 1;
const MIN_BYTES = MIB / 2;
const MAX_BYTES = 2048 * MIB;
/** Links of the platform live for hours; those of a short life die while the outage lasts. */
const LIFETIME_HOURS = [4, 14] as const;

export function createOutage({ seed, recordings: count, outageHours, load }: OutageOptions): OutageScene {
	const random = createRandom(seed);
	const uniform = () => (random.below(1_000_000) + 0.5) / 1_000_000;
	const recordings = Array.from({ length: count }, (_, index): OutageRecording => {
		const reportedAt = -outageHours * HOUR_MS * (1 - index / count);
		const [least, most] = LIFETIME_HOURS;
		const deadline = Math.round(reportedAt + (least + uniform() * (most - least)) * HOUR_MS);
		// Box and Muller's way from even chances to a normal one.
		const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
		const bytes = Math.round(
			Math.min(Math.max(MEDIAN_BYTES * Math.exp(SPREAD * normal), MIN_BYTES), MAX_BYTES),
		);
		return { stream: `recording-${index}`, host: random.pick(HOSTS), deadline, bytes };
	});
	return { recordings, bytesPerSecond: neededBytesPerSecond(recordings) / load };
}

/** The least bandwidth at which nobody alive at the end of the outage comes too late, in deadline order. */
function neededBytesPerSecond(recordings: readonly OutageRecording[]): number {
	// What dies in the first minutes would ask for any bandwidth.
	const alive = recordings
		.filter(({ deadline }) => deadline > HOUR_MS / 4)
		.sort((left, right) => left.deadline - right.deadline);
	let bytes = 0;
	let needed = 0;
	for (const recording of alive) {
		bytes += recording.bytes;
		needed = Math.max(needed, (bytes * 1_000) / recording.deadline);
	}
	return needed;
}

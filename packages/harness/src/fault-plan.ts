// One scenario of downloads that go wrong, made of a seed: what is recorded, how its origin behaves, and what happens to
// the archiver meanwhile. The same seed makes the same plan; how it goes in time differs from run to run.

import { createCipheriv } from "node:crypto";
import { LINK_EXPIRED, type ObjectFault, type ObjectHabits } from "@reelkeep/testing";
import { drawFault, drawLastingFault, drawRangeFault, evidenceOf, type FaultContext } from "./fault-kinds.js";
import { createDraw, type Draw } from "./hostile-random.js";

export interface FaultPlan {
	readonly seed: number;
	/** Downloads at a time. */
	readonly concurrency: number;
	readonly recordings: readonly RecordingPlan[];
	/** The archiver is stopped, and another started, when so many requests have come. */
	readonly restartsAfterRequests: readonly number[];
	/** Which of the archiver's appends fail, one at most, counted from 0: before the store took it, or after. */
	readonly failingAppends: readonly { readonly index: number; readonly isTaken: boolean }[];
}

export interface RecordingPlan {
	/** Of its object. */
	readonly name: string;
	readonly habits: ObjectHabits;
	/** All bytes that the object ever has; it begins with the first. */
	readonly versions: readonly Uint8Array[];
	/** Of its first GETs, in order. */
	readonly faults: readonly ObjectFault[];
	/** Of its first GETs that ask for a range. */
	readonly rangeFaults: readonly ObjectFault[];
	/** Where the video store fails, once each. */
	readonly storeFaults: readonly UploadStep[];
	/** What its faults end in. */
	readonly fate: Fate;
	/** It is reported once the archiver runs. */
	readonly isReportedLate: boolean;
	/** Another link is reported while its download goes on. */
	readonly isRenewed: boolean;
	/** In the end all is made well, and another link reported. */
	readonly isMended: boolean;
}

export type UploadStep = "begin" | "write" | "commit";

type Fate =
	/** The origin behaves. */
	| { readonly _tag: "Well" }
	/** Something that may pass does not, until the deadline and its grace are over. */
	| { readonly _tag: "Lasting"; readonly fault: ObjectFault }
	/** The same, but the link dies with the deadline, and its origin says so. */
	| { readonly _tag: "Dying"; readonly fault: ObjectFault }
	/** The origin says no for good: 403 or 404. */
	| { readonly _tag: "Refused"; readonly fault: ObjectFault; readonly cause: "refused" | "not-found" }
	/** The origin says that the link's time is over; `fault` absent: it is. */
	| { readonly _tag: "Expired"; readonly fault?: ObjectFault }
	/** We are in the way ourselves: it stays pending, whatever the time. */
	| { readonly _tag: "Ours"; readonly fault?: ObjectFault };

/** A source of this plan's archivers refuses larger videos. */
export const MAX_VIDEO_BYTES = 100_000_000;

/** Draws the plan of `seed`, a whole number. */
export function drawFaultPlan(seed: number): FaultPlan {
	const draw = createDraw(seed, 0);
	const recordings = Array.from({ length: draw.pick([1, 1, 2, 2, 3, 4]) }, (_, index) =>
		drawRecording(createDraw(seed, index + 1), index),
	);
	const failingAppends = draw.once(4) ? [{ index: draw.int(4), isTaken: draw.once(2) }] : [];
	return {
		seed,
		concurrency: 1 + draw.int(4),
		recordings,
		restartsAfterRequests: Array.from({ length: draw.pick([0, 0, 1, 1, 2]) }, () => 1 + draw.int(8)),
		failingAppends,
	};
}

function drawRecording(draw: Draw, index: number): RecordingPlan {
	const habits = drawHabits(draw);
	const versions = Array.from({ length: draw.pick([1, 1, 2, 3]) }, () => drawBytes(draw, drawLength(draw)));
	const context: FaultContext = {
		draw,
		length: Math.min(...versions.map(({ length }) => length)),
		longest: Math.max(...versions.map(({ length }) => length)),
		evidence: evidenceOf(habits),
		used: new Set(),
		refusalsLeft: 3,
		versions: versions.slice(1),
	};
	const faults = Array.from({ length: draw.pick([0, 1, 1, 2, 2, 3, 4, 5]) }, () => drawFault(context));
	const fate = drawFate(context);
	const isWell = fate._tag === "Well";
	const rangeFaults = isWell ? Array.from({ length: draw.int(4) }, () => drawRangeFault(context)) : [];
	return {
		name: `${index}.mp4`,
		habits,
		versions,
		faults,
		rangeFaults,
		storeFaults: draw.once(4) ? [draw.pick(["begin", "write", "commit"] as const)] : [],
		fate,
		isReportedLate: draw.once(3) && !(fate._tag === "Ours" && fate.fault === undefined),
		isRenewed: isWell && draw.once(5),
		isMended: draw.once(2),
	};
}

function drawHabits(draw: Draw): ObjectHabits {
	const objectType = draw.pick([undefined, "Normal", "Normal", "Appendable", "Multipart"]);
	const modifiedMsAgo = draw.pick([undefined, 0, 120_000]);
	return {
		etag: draw.pick(["md5", "md5", "md5", "other", "parts", "weak", "none"] as const),
		crc64: draw.once(2),
		contentMd5: draw.once(6),
		refusesRanges: draw.once(3),
		...(objectType === undefined ? {} : { objectType }),
		...(modifiedMsAgo === undefined ? {} : { modifiedMsAgo }),
	};
}

/** Mostly small ones; some are worth a second connection at once. */
function drawLength(draw: Draw): number {
	return 1 + draw.int(draw.pick([50, 2_000, 2_000, 20_000, 20_000, 20_000, 200_000, 700_000]));
}

/** Bytes that no other version has at the same place, but by chance; never a page. */
function drawBytes(draw: Draw, length: number): Uint8Array {
	const cipher = createCipheriv("aes-128-ctr", draw.bytes(16), Buffer.alloc(16));
	const bytes = new Uint8Array(cipher.update(Buffer.alloc(length)));
	bytes[0] = 0;
	return bytes;
}

function drawFate(context: FaultContext): Fate {
	const { draw } = context;
	const tag = draw.pick([
		"Well",
		"Well",
		"Well",
		"Well",
		"Lasting",
		"Dying",
		"Refused",
		"Expired",
		"Ours",
	] as const);
	switch (tag) {
		case "Well":
			return { _tag: tag };
		case "Lasting":
		case "Dying":
			return { _tag: tag, fault: drawLastingFault(context) };
		case "Refused": {
			const status = draw.pick([403, 404, 410]);
			const fault = { _tag: "Status", status, code: "AccessDenied", message: "No." } as const;
			return { _tag: tag, fault, cause: status === 403 ? "refused" : "not-found" };
		}
		case "Expired":
			return draw.once(2) ? { _tag: tag } : { _tag: tag, fault: LINK_EXPIRED };
		case "Ours": {
			const fault = draw.pick<ObjectFault | undefined>([
				{ _tag: "Redirect", location: "http://10.1.2.3/elsewhere.mp4" },
				{ _tag: "MisstateLength", byBytes: MAX_VIDEO_BYTES },
				// The video store fails.
				undefined,
			]);
			return fault === undefined ? { _tag: tag } : { _tag: tag, fault };
		}
	}
}

/** The plan for people, bytes left out. */
export function describePlan(plan: FaultPlan): string {
	return JSON.stringify(plan, (_key, value: unknown) =>
		value instanceof Uint8Array ? `${value.length} bytes` : value,
	);
}

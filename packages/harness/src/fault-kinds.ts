// The faults of a download, drawn: which ones an object can meet so that its downloader has a chance to notice.

import type { ObjectFault, ObjectHabits } from "@reelkeep/testing";
import type { Draw } from "./hostile-random.js";

/**
 * What speaks against bytes that are not the object's, whatever their number:
 * - `binding`: a checksum that is one
 * - `etag`: an ETag that may be an MD5. Damage that comes twice alike is believed (ADR 0011), so it is drawn once only
 * - `none`
 */
export type Evidence = "binding" | "etag" | "none";

export function evidenceOf(habits: ObjectHabits): Evidence {
	if (habits.crc64) return "binding";
	if ((habits.etag === "md5" || habits.etag === "other") && isNormal(habits)) return "etag";
	// `Content-MD5` is not said of ranges: what a download is resumed with has none.
	return habits.contentMd5 && !isResumable(habits) ? "binding" : "none";
}

/** Whether anything tells the object from a changed one, so that a download may go on where it ended. */
export function isResumable({ etag, modifiedMsAgo = 0 }: ObjectHabits): boolean {
	return (etag !== "weak" && etag !== "none") || modifiedMsAgo >= 60_000;
}

function isNormal({ objectType = "Normal" }: ObjectHabits): boolean {
	return objectType === "Normal";
}

export interface FaultContext {
	readonly draw: Draw;
	/** Of the shortest version of the object; at least 1. */
	readonly length: number;
	readonly longest: number;
	readonly evidence: Evidence;
	/** Lengths and places of damage that were drawn before. */
	readonly used: Set<number>;
	/** Times that the origin may still say no: four in a row would be believed. */
	refusalsLeft: number;
	/** Later versions of the object, the next one first. */
	readonly versions: Uint8Array[];
}

type Kind = (context: FaultContext) => ObjectFault | undefined;

/** Draws one fault of any GET. */
export function drawFault(context: FaultContext): ObjectFault {
	return drawOf(context, [...LOUD, ...LOUD, ...SILENT]);
}

/** Draws one fault of a GET of a range. */
export function drawRangeFault(context: FaultContext): ObjectFault {
	return drawOf(context, [...OF_RANGES, ...OF_RANGES, ...LOUD, ...SILENT, skewed]);
}

/** Draws one that may last: it is told by what a downloader sees, even when it comes again and again. */
export function drawLastingFault(context: FaultContext): ObjectFault {
	const lasting: readonly Kind[] = [
		({ draw }) => ({ _tag: "Status", status: draw.pick([500, 502, 503, 504, 429, 408]) }),
		dropped,
		() => ({ _tag: "Drop", afterBytes: 0 }),
		stalled,
		encoded,
		({ draw }) => ({ _tag: "MisstateLength", byBytes: 1 + draw.int(1_000) }),
		({ evidence }) => (evidence === "binding" ? { _tag: "Corrupt", atByte: 0 } : undefined),
		({ evidence, length }) =>
			evidence === "binding" ? { _tag: "Shorten", toBytes: Math.floor(length / 2) } : undefined,
	];
	return drawOf(context, lasting);
}

function drawOf(context: FaultContext, kinds: readonly Kind[]): ObjectFault {
	for (;;) {
		const fault = context.draw.pick(kinds)(context);
		if (fault !== undefined) return fault;
	}
}

const dropped: Kind = ({ draw, length }) => ({ _tag: "Drop", afterBytes: draw.int(length) });
const stalled: Kind = ({ draw, length }) => ({ _tag: "Stall", afterBytes: draw.int(length) });
const encoded: Kind = () => ({ _tag: "Headers", headers: { "content-encoding": "gzip" } });
const otherEtag: Kind = ({ draw }) => ({ _tag: "Headers", headers: { etag: `"other-${draw.int(1_000)}"` } });
const refused: Kind = (context) => {
	if (context.refusalsLeft === 0) return undefined;
	context.refusalsLeft -= 1;
	const status = context.draw.pick([403, 404, 410]);
	return {
		_tag: "Status",
		status,
		code: "AccessDenied",
		message: "You have no right to access this object.",
	};
};

/** Seen by whoever minds what an answer says. */
const LOUD: readonly Kind[] = [
	({ draw }) => {
		const retryAfter = draw.pick([undefined, "0", "1", "soon"]);
		const status = draw.pick([500, 501, 502, 503, 504, 429, 408, 412, 416]);
		return { _tag: "Status", status, ...(retryAfter === undefined ? {} : { retryAfter }) };
	},
	refused,
	dropped,
	dropped,
	dropped,
	stalled,
	({ draw, longest }) => ({ _tag: "Drip", chunkBytes: Math.ceil(longest / (2 + draw.int(20))), delayMs: 1 }),
	() => ({ _tag: "NoLength" }),
	(context) => ({ _tag: "All", faults: [{ _tag: "NoLength" }, dropped(context) ?? { _tag: "NoLength" }] }),
	encoded,
	otherEtag,
	({ draw }) => ({ _tag: "MisstateLength", byBytes: 1 + draw.int(1_000) }),
	({ draw }) => ({
		_tag: "Redirect",
		location: REDIRECT_TO_ITSELF,
		status: draw.pick([301, 302, 303, 307, 308]),
	}),
	({ versions }) => {
		const by = versions.shift();
		return by === undefined ? undefined : { _tag: "Replace", by };
	},
];

/** Whoever runs a plan puts a link to the same object in its place. */
export const REDIRECT_TO_ITSELF = "itself";

/** Seen by checksums alone. */
const SILENT: readonly Kind[] = [
	(context) => silently(context, (place) => ({ _tag: "Corrupt", atByte: place })),
	(context) => silently(context, (length) => ({ _tag: "Shorten", toBytes: length })),
	(context) => silently(context, (length) => ({ _tag: "Cut", toBytes: length })),
	(context) => silently(context, (length) => ({ _tag: "MisstateLength", byBytes: length - context.length })),
	(context) => silently(context, (more) => ({ _tag: "Lengthen", byBytes: more + 1 })),
	(context) =>
		silently(context, (place) => {
			const afterBytes = place + 1 + context.draw.int(context.length - place);
			return {
				_tag: "All",
				faults: [
					{ _tag: "Corrupt", atByte: place },
					{ _tag: "Drop", afterBytes },
				],
			};
		}),
];

const skewed: Kind = (context) =>
	silently(context, (place) => ({ _tag: "SkewRange", byBytes: place - context.length }));

/** A place or a length below the object's, for damage that is not drawn twice. */
function silently(
	{ draw, length, evidence, used }: FaultContext,
	make: (place: number) => ObjectFault,
): ObjectFault | undefined {
	const place = draw.int(length);
	if (evidence === "none" || used.has(place)) return undefined;
	used.add(place);
	return make(place);
}

/** What only a range can be. */
const OF_RANGES: readonly Kind[] = [
	() => ({ _tag: "IgnoreRange" }),
	({ draw }) => ({ _tag: "ShiftRange", byBytes: 1 + draw.int(100) }),
	({ draw }) => ({ _tag: "ShiftRange", byBytes: -1 - draw.int(100) }),
	({ draw }) => ({ _tag: "MisstateTotal", byBytes: draw.pick([-1, 1, 1_000]) }),
	// A range says itself how long it is; of a whole answer, only checksums would tell.
	({ draw, length }) => ofRange({ _tag: "Shorten", toBytes: draw.int(length) }),
	({ draw }) => ofRange({ _tag: "Lengthen", byBytes: 1 + draw.int(100) }),
	({ draw, length }) => ofRange({ _tag: "Cut", toBytes: draw.int(length) }),
	otherEtag,
	({ draw }) => ({ _tag: "Status", status: draw.pick([412, 416, 501]) }),
];

function ofRange(fault: ObjectFault): ObjectFault {
	return { _tag: "OfRange", fault };
}

// The domain events, each with its io-ts codec and schema version. What is stored today is read for ever: members are
// added, never renamed, and what is added to a version may be absent; another shape is a new schema version with an upcast.

import * as t from "io-ts";
import type { JsonObject, RecordedEvent } from "./ports/event-store.js";
import { decodeAs, type EventSchema, eventSchema } from "./upcast.js";

/** Data as stores hand it out: readonly to the last member. */
type Frozen<Data> = Data extends object ? { readonly [Member in keyof Data]: Frozen<Data[Member]> } : Data;

const Deadline = t.type({
	at: t.number,
	source: t.union([t.literal("expire_time"), t.literal("link"), t.literal("cap")]),
	ignored: t.readonlyArray(
		t.type({
			source: t.union([t.literal("expire_time"), t.literal("link")]),
			value: t.number,
			reason: t.union([t.literal("past"), t.literal("wrong-unit"), t.literal("too-far")]),
		}),
	),
});

/** A download link at rest: what anyone may see, and the rest sealed by the keyring under the stream's name. */
const SealedLink = t.type({
	/** Masked: `http://host/720p.mp4?***`. */
	downloadUrl: t.string,
	sealedUrl: t.string,
	/** SHA-256 of the whole link: tells links apart without opening them. */
	linkFingerprint: t.string,
	/** As stated; milliseconds. */
	expireTime: t.number,
	deadline: Deadline,
});

const Facts = t.type({
	gameId: t.string,
	trackInfo: t.string,
	accountDomain: t.number,
	version: t.number,
	accountId: t.string,
	action: t.string,
	projectId: t.string,
	/** Host and path of the link: with `projectId` and `trackInfo` the recording's identity. */
	object: t.string,
});

/** A recording is finished: the first authentic callback about it. */
export const RecordingReported = t.intersection([Facts, SealedLink], "RecordingReported");
export type RecordingReported = Frozen<t.TypeOf<typeof RecordingReported>>;

/** Another link to the same object arrived. It reopens a recording whose link expired or that was abandoned. */
export const LinkRenewed = t.intersection([SealedLink, t.type({ reopens: t.boolean })], "LinkRenewed");
export type LinkRenewed = Frozen<t.TypeOf<typeof LinkRenewed>>;

/** An authentic callback about a known recording states other facts; the whole callback is kept. */
export const ReportContradicted = t.intersection(
	[
		Facts,
		SealedLink,
		t.type({
			/** The fields that differ from `RecordingReported`. */
			differs: t.readonlyArray(t.string),
			/** The same contradiction is kept once. */
			contentFingerprint: t.string,
		}),
	],
	"ReportContradicted",
);
export type ReportContradicted = Frozen<t.TypeOf<typeof ReportContradicted>>;

/** An authentic callback that cannot be decoded, kept raw until it can. */
export const CallbackQuarantined = t.type(
	{
		appKey: t.string,
		/** `request_param` as received, sealed under the stream's name; `openQuarantined` opens it. */
		sealedBody: t.string,
		bytes: t.number,
		/** SHA-256 of the bytes, lower-case hex. */
		sha256: t.string,
		issues: t.readonlyArray(t.type({ field: t.string, problem: t.string })),
		/** Until when its link may live, from what could be read. */
		deadline: Deadline,
	},
	"CallbackQuarantined",
);
export type CallbackQuarantined = Frozen<t.TypeOf<typeof CallbackQuarantined>>;

/** A quarantined callback could be decoded after all: it became part of a recording, and is in quarantine no more. */
export const CallbackRedriven = t.type(
	{
		/** Whose quota has room again, and for how much. */
		appKey: t.string,
		bytes: t.number,
		/** The recording's stream. */
		recording: t.string,
		/** What the callback came to there. */
		outcome: t.union([
			t.literal("Reported"),
			t.literal("AlreadyReported"),
			t.literal("LinkRenewed"),
			t.literal("Contradicted"),
		]),
	},
	"CallbackRedriven",
);
export type CallbackRedriven = Frozen<t.TypeOf<typeof CallbackRedriven>>;

/** One try to keep the video failed; at most 20 are recorded a stream. */
export const ArchiveAttemptFailed = t.intersection(
	[
		t.type({
			attempt: t.number,
			reason: t.string,
			message: t.string,
			linkFingerprint: t.string,
			/** Whether the origin was really asked for this link. */
			tried: t.boolean,
		}),
		/** When the next try is due, UTC milliseconds; absent: there is none. */
		t.partial({ nextAttemptAt: t.number }),
	],
	"ArchiveAttemptFailed",
);
export type ArchiveAttemptFailed = Frozen<t.TypeOf<typeof ArchiveAttemptFailed>>;

/** Whether a file is an MP4 that a player can play. */
export const Mp4Probe = t.intersection(
	[
		t.type({ isPlayable: t.boolean }),
		t.partial({
			/** Why not, for people. */
			problem: t.string,
			durationMs: t.number,
			/** Of each track, e.g. `avc1.64001f`, `mp4a.40.2`. */
			codecs: t.readonlyArray(t.string),
		}),
	],
	"Mp4Probe",
);
export type Mp4Probe = Frozen<t.TypeOf<typeof Mp4Probe>>;

/** Proof that the video is kept. */
export const VideoReceipt = t.intersection(
	[
		t.type({
			/** Where the video store keeps it. */
			location: t.string,
			bytes: t.number,
			/** Lower-case hex, of the bytes as they were stored. */
			sha256: t.string,
			/** Whether the origin stated a length that matched. */
			lengthVerified: t.boolean,
		}),
		t.partial({
			contentType: t.string,
			etag: t.string,
			/** The origin's checksum that matched, e.g. `md5:…`, `crc64:…`; the strongest of several. */
			originChecksum: t.string,
			/** What a look at the bytes as an MP4 came to; absent: nobody looked. */
			mp4: Mp4Probe,
		}),
	],
	"VideoReceipt",
);
export type VideoReceipt = Frozen<t.TypeOf<typeof VideoReceipt>>;

/** The video is verified and durable under its final name. */
export const RecordingArchived = t.type(
	{ receipt: VideoReceipt, attempts: t.number, adopted: t.boolean },
	"RecordingArchived",
);
export type RecordingArchived = Frozen<t.TypeOf<typeof RecordingArchived>>;

/** The link died before the video was kept. */
export const LinkExpired = t.type(
	{
		/** `refused`: the origin said so. `deadline`: the deadline and its grace are over, after a real attempt. */
		cause: t.union([t.literal("refused"), t.literal("deadline")]),
		attempts: t.number,
		message: t.string,
	},
	"LinkExpired",
);
export type LinkExpired = Frozen<t.TypeOf<typeof LinkExpired>>;

/** The video cannot be kept, for another reason than time. */
export const ArchiveAbandoned = t.type(
	{ cause: t.string, attempts: t.number, message: t.string },
	"ArchiveAbandoned",
);
export type ArchiveAbandoned = Frozen<t.TypeOf<typeof ArchiveAbandoned>>;

/** A damaged log was repaired: the events at these positions are lost, and their positions are never given out again. */
export const LogRepaired = t.type(
	{
		lost: t.readonlyArray(t.type({ first: t.string, last: t.string })),
		/** The files that hold the damaged bytes, below the data directory. */
		aside: t.readonlyArray(t.string),
	},
	"LogRepaired",
);
export type LogRepaired = Frozen<t.TypeOf<typeof LogRepaired>>;

/** A video that was kept is no more: its recording is pending again, and the archiver tries its links anew. */
export const VideoRemoved = t.type(
	{
		/** As in its receipt. */
		location: t.string,
		/** `damaged`: the bytes there are not those of the receipt, or cannot be read. */
		cause: t.union([t.literal("missing"), t.literal("damaged")]),
		/** For people; says where a damaged file is kept. */
		message: t.string,
		/** Of the newest link, masked. */
		downloadUrl: t.string,
		linkFingerprint: t.string,
		/** When the last of its links dies. */
		deadline: Deadline,
	},
	"VideoRemoved",
);
export type VideoRemoved = Frozen<t.TypeOf<typeof VideoRemoved>>;

/** Codec, current schema version and upcasts of each event type. */
export const EVENT_TYPES = {
	RecordingReported: eventSchema(RecordingReported),
	LinkRenewed: eventSchema(LinkRenewed),
	ReportContradicted: eventSchema(ReportContradicted),
	CallbackQuarantined: eventSchema(CallbackQuarantined),
	CallbackRedriven: eventSchema(CallbackRedriven),
	ArchiveAttemptFailed: eventSchema(ArchiveAttemptFailed),
	RecordingArchived: eventSchema(RecordingArchived),
	LinkExpired: eventSchema(LinkExpired),
	ArchiveAbandoned: eventSchema(ArchiveAbandoned),
	LogRepaired: eventSchema(LogRepaired),
	VideoRemoved: eventSchema(VideoRemoved),
} as const;

export type EventType = keyof typeof EVENT_TYPES;
export type EventData = { [Type in EventType]: Frozen<t.TypeOf<(typeof EVENT_TYPES)[Type]["codec"]>> };

/** A fact that is decided but not yet recorded. */
export type DomainEvent = {
	[Type in EventType]: { readonly type: Type; readonly data: EventData[Type] };
}[EventType];

/** A recorded domain event, decoded. Switch on `type`. */
export type ReelkeepEvent = {
	[Type in EventType]: RecordedEvent<Type, EventData[Type]>;
}[EventType];

/**
 * A stored event of a type, or a schema version, that this release does not know: as it was stored, but for the prefix of
 * its type, by which a switch on `type` tells it from ours.
 */
export type UnknownEvent = RecordedEvent<`unknown:${string}`, JsonObject>;

export function toUnknownEvent(event: RecordedEvent): UnknownEvent {
	return Object.freeze({ ...event, type: `unknown:${event.type}` as const });
}

/**
 * Decodes what a store handed out; the data of an earlier schema version is taken up to today's. `undefined`: a type, or a later
 * schema version, that this release does not know; such events pass through. Throws a `TypeError` that names the event's id when
 * a known one does not decode (ADR 0032).
 */
export function decodeEvent(event: RecordedEvent): ReelkeepEvent | undefined {
	if (!isEventType(event.type)) return undefined;
	const schema: EventSchema = EVENT_TYPES[event.type];
	return decodeAs(schema, event) as ReelkeepEvent | undefined;
}

export function isEventType(type: string): type is EventType {
	return Object.hasOwn(EVENT_TYPES, type);
}

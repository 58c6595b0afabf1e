// What a callback means for its recording: the same when it is received and when it is redriven from quarantine.

import { type Either, left } from "fp-ts/lib/Either.js";
import { type DecodeError, decodeError } from "./decode-error.js";
import type { CallbackRedriven } from "./events.js";
import type { StreamName } from "./ports/event-store.js";
import type { Keyring } from "./ports/keyring.js";
import type { DecisionOutcome } from "./recording.js";
import type { ReportRecording } from "./recording-command.js";
import { hashFields, recordingIdOf, recordingStream } from "./recording-id.js";
import { decodeCallback, type ScreenRecordCallback } from "./screen-record-callback.js";
import { sealLink } from "./seal-link.js";
import { decodeUtf8 } from "./utf8.js";

/** Decodes the text of `request_param`. */
export type DecodeCallback = (requestParam: string) => Either<DecodeError, ScreenRecordCallback>;

/** What a report came to. */
export type ReportedAs = CallbackRedriven["outcome"];

/** Decodes `request_param` as it was received, text or bytes. */
export function decodeRequestParam(
	requestParam: string | Uint8Array,
	decode: DecodeCallback = decodeCallback,
): Either<DecodeError, ScreenRecordCallback> {
	const text = typeof requestParam === "string" ? requestParam : decodeUtf8(requestParam);
	return text === undefined ? left(decodeError([{ field: "", problem: "is not UTF-8" }])) : decode(text);
}

/** The command that reports a callback, and the stream that it goes to; its link sealed for that. */
export async function toReport(
	keyring: Keyring,
	callback: ScreenRecordCallback,
	received: { readonly receivedAt: number; readonly deadlineCapMs?: number },
): Promise<{ readonly stream: StreamName; readonly command: ReportRecording }> {
	const { downloadUrl, expireTime, gameId, accountDomain, accountId, version, action } = callback;
	const id = recordingIdOf(callback);
	const stream = recordingStream(id);
	const link = await sealLink(keyring, stream, { downloadUrl, expireTime, ...received });
	return {
		stream,
		command: {
			_tag: "ReportRecording",
			facts: { ...id, gameId, accountDomain, accountId },
			version,
			action,
			link,
			contentFingerprint: () => hashFields(Object.values(callback).map(String)),
		},
	};
}

export function reportOutcome(outcome: DecisionOutcome): ReportedAs {
	switch (outcome) {
		case "Reported":
		case "AlreadyReported":
		case "LinkRenewed":
		case "Contradicted":
			return outcome;
		case "Accepted":
		case "Ignored":
			throw new TypeError("a report is not decided this way");
	}
}

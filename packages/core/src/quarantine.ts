// An authentic callback that cannot be decoded is kept raw, sealed, with its reasons (promise 4).

import { utf8ToBytes } from "@noble/hashes/utils.js";
import { isRight } from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { fromBase64Url, toBase64Url } from "./base64url.js";
import { type Deadline, decideDeadline } from "./deadline.js";
import type { CallbackQuarantined } from "./events.js";
import { linkExpiry, parseLink } from "./link.js";
import type { StreamName } from "./ports/event-store.js";
import type { DecodeIssue } from "./ports/ingress.js";
import { type Keyring, keyringFault } from "./ports/keyring.js";
import { sha256Hex } from "./sha256.js";
import { decodeUtf8 } from "./utf8.js";

const context = (stream: StreamName): string => `body:${stream}`;

/** Makes the event; its body sealed for `stream`. */
export async function quarantined(
	keyring: Keyring,
	stream: StreamName,
	callback: {
		readonly appKey: string;
		readonly body: Uint8Array;
		readonly issues: readonly DecodeIssue[];
		readonly receivedAt: number;
		readonly deadlineCapMs?: number;
	},
): Promise<CallbackQuarantined> {
	const { appKey, body, issues } = callback;
	return {
		appKey,
		sealedBody: await keyring.seal(toSealable(body), context(stream)),
		bytes: body.length,
		sha256: sha256Hex(body),
		issues: [...issues],
		deadline: guessDeadline(body, callback.receivedAt, callback.deadlineCapMs),
	};
}

/** The raw bytes of a quarantined callback: they hold a link, so they are a secret. Rejects with a `KeyringFault`. */
export async function openQuarantined(
	keyring: Keyring,
	stream: StreamName,
	event: Pick<CallbackQuarantined, "sealedBody">,
): Promise<Uint8Array> {
	const opened = await keyring.open(event.sealedBody, context(stream));
	const content = opened.slice(1);
	const body = opened.startsWith(TEXT) ? utf8ToBytes(content) : fromBase64Url(content);
	if (body === undefined) throw keyringFault("damaged", "the sealed body was not sealed by this release");
	return body;
}

/** A keyring seals text: a body that is UTF-8 goes in as it is, any other as base64url, and one letter tells which. */
const TEXT = "t";
const BYTES = "b";

function toSealable(body: Uint8Array): string {
	const text = decodeUtf8(body);
	return text === undefined ? BYTES + toBase64Url(body) : TEXT + text;
}

const Readable = t.partial({ expire_time: t.unknown, download_url: t.unknown });

/** Until when the link may live, from whatever of the body can be read; else the cap. */
function guessDeadline(body: Uint8Array, receivedAt: number, capMs: number | undefined): Deadline {
	const readable = Readable.decode(parseLeniently(body));
	const { expire_time, download_url } = isRight(readable) ? readable.right : {};
	// Only what a number could be: converting an object may throw, and then nothing would be kept.
	const isReadable = typeof expire_time === "number" || typeof expire_time === "string";
	const expireTime = isReadable ? Number(expire_time) : Number.NaN;
	const url = typeof download_url === "string" ? parseLink(download_url) : undefined;
	const stated = url === undefined ? undefined : linkExpiry(url);
	return decideDeadline({
		receivedAt,
		...(Number.isSafeInteger(expireTime) ? { expireTime } : {}),
		...(stated === undefined ? {} : { linkExpiry: stated }),
		...(capMs === undefined ? {} : { capMs }),
	});
}

function parseLeniently(body: Uint8Array): unknown {
	try {
		return JSON.parse(new TextDecoder().decode(body));
	} catch {
		return {};
	}
}

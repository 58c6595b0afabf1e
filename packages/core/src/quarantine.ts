// An authentic callback that cannot be decoded is kept raw, sealed, with its reasons (promise 4).

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { isRight } from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { type Deadline, decideDeadline } from "./deadline.js";
import type { CallbackQuarantined } from "./events.js";
import { linkExpiry, parseLink } from "./link.js";
import type { StreamName } from "./ports/event-store.js";
import type { DecodeIssue } from "./ports/ingress.js";
import type { Keyring } from "./ports/keyring.js";

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
		sealedBody: await keyring.seal(bytesToHex(body), context(stream)),
		bytes: body.length,
		sha256: bytesToHex(sha256(body)),
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
	return hexToBytes(await keyring.open(event.sealedBody, context(stream)));
}

const Readable = t.partial({ expire_time: t.unknown, download_url: t.unknown });

/** Until when the link may live, from whatever of the body can be read; else the cap. */
function guessDeadline(body: Uint8Array, receivedAt: number, capMs: number | undefined): Deadline {
	const readable = Readable.decode(parseLeniently(body));
	const { expire_time, download_url } = isRight(readable) ? readable.right : {};
	const expireTime = Number(expire_time ?? Number.NaN);
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

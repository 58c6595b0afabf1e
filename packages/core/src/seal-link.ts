import { decideDeadline } from "./deadline.js";
import { linkExpiry, linkFingerprint, maskLink, parseLink } from "./link.js";
import type { StreamName } from "./ports/event-store.js";
import type { Keyring } from "./ports/keyring.js";
import type { RecordingLink } from "./recording-command.js";

/** A link is sealed for its stream: moved to another, it does not open. */
const context = (stream: StreamName): string => `link:${stream}`;

/** Prepares a callback's link for the log: masked, sealed, fingerprinted, with its deadline. Times in milliseconds. */
export async function sealLink(
	keyring: Keyring,
	stream: StreamName,
	link: {
		readonly downloadUrl: string;
		readonly expireTime: number;
		readonly receivedAt: number;
		readonly deadlineCapMs?: number;
	},
): Promise<RecordingLink> {
	const { downloadUrl, expireTime, receivedAt, deadlineCapMs: capMs } = link;
	const url = parseLink(downloadUrl);
	if (url === undefined) throw new TypeError("only an http or https link is sealed");
	const stated = linkExpiry(url);
	return {
		downloadUrl: maskLink(url),
		sealedUrl: await keyring.seal(downloadUrl, context(stream)),
		linkFingerprint: linkFingerprint(downloadUrl),
		expireTime,
		deadline: decideDeadline({
			receivedAt,
			expireTime,
			...(stated === undefined ? {} : { linkExpiry: stated }),
			...(capMs === undefined ? {} : { capMs }),
		}),
	};
}

/** The whole link, as it was reported: a secret. *Errors*: rejects with a `KeyringFault`. */
export function openLink(
	keyring: Keyring,
	stream: StreamName,
	link: { readonly sealedUrl: string },
): Promise<string> {
	return keyring.open(link.sealedUrl, context(stream));
}

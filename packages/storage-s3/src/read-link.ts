// Links with which users read a video for a while, straight from the object store.

import { GetObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { checkVideoLocation } from "@reelkeep/core/ports";
import type { BucketOptions } from "./bucket.js";
import { toFault } from "./s3-fault.js";

/** What the signature allows. */
const MAX_EXPIRES_IN_SECONDS = 7 * 24 * 60 * 60;

export interface ReadLinkOptions {
	/**
	 * From 1 s to 7 days, whole. Keys of a role end earlier, and their links with them: then no longer than the role's session.
	 */
	readonly expiresInSeconds: number;
	/** The name under which a browser saves it. Default: it is shown. */
	readonly downloadName?: string;
}

/**
 * Signs a link to the video at `location`; nothing is sent, and nobody looks whether it is there.
 * *Errors*: rejects with a `RangeError` for a wrong time, with a `StoreFault` for what is no location or without credentials.
 * *Promise*: whoever has the link reads this video, and does nothing else. It is a secret: nothing here logs it.
 */
export async function signReadLink(
	{ client, bucket, prefix }: Pick<BucketOptions, "client" | "bucket" | "prefix">,
	location: string,
	{ expiresInSeconds, downloadName }: ReadLinkOptions,
): Promise<string> {
	if (
		!Number.isInteger(expiresInSeconds) ||
		expiresInSeconds < 1 ||
		expiresInSeconds > MAX_EXPIRES_IN_SECONDS
	)
		throw new RangeError(`expiresInSeconds must be a whole number from 1 to ${MAX_EXPIRES_IN_SECONDS}`);
	checkVideoLocation(location);
	const command = new GetObjectCommand({
		Bucket: bucket,
		Key: prefix + location,
		...(downloadName === undefined ? {} : { ResponseContentDisposition: dispositionOf(downloadName) }),
	});
	try {
		return await getSignedUrl(client, command, { expiresIn: expiresInSeconds });
	} catch (error) {
		throw toFault(error, "signing a link");
	}
}

/** RFC 6266, with the name as RFC 8187 has it. */
function dispositionOf(name: string): string {
	const encoded = encodeURIComponent(name).replace(
		/['()*]/g,
		(character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
	);
	return `attachment; filename*=UTF-8''${encoded}`;
}

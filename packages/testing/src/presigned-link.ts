// OSS V1 query signatures, as the object-store stand-in makes and checks them. The algorithm is written down in OSS's
// "Add signatures to URLs": HMAC-SHA1 over verb, Content-MD5, Content-Type, Expires, x-oss-* headers and resource.

import { createHmac } from "node:crypto";

export interface Credentials {
	readonly accessKeyId: string;
	readonly accessKeySecret: string;
}

/** What a V1 signature covers; header names in lower case. */
export interface SignedParts {
	readonly verb: string;
	readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
	/** Seconds since the epoch, as it stands in the link. */
	readonly expires: string;
	readonly bucket: string;
	/** Decoded, without a leading slash. */
	readonly objectName: string;
}

export function stringToSign({ verb, headers, expires, bucket, objectName }: SignedParts): string {
	const ossHeaders = Object.keys(headers)
		.filter((name) => name.startsWith("x-oss-"))
		.sort()
		.map((name) => `${name}:${String(headers[name])}\n`);
	return [
		verb,
		String(headers["content-md5"] ?? ""),
		String(headers["content-type"] ?? ""),
		expires,
		`${ossHeaders.join("")}/${bucket}/${objectName}`,
	].join("\n");
}

/** Base64, as it stands (percent-encoded) in a link. */
export function sign(text: string, { accessKeySecret }: Credentials): string {
	return createHmac("sha1", accessKeySecret).update(text).digest("base64");
}

/** A presigned GET link: `http://host/object?OSSAccessKeyId=…&Expires=…&Signature=…`. */
export function presignLink(
	origin: string,
	object: { readonly bucket: string; readonly objectName: string; readonly expiresAtMs: number },
	credentials: Credentials,
): string {
	const expires = String(Math.floor(object.expiresAtMs / 1000));
	const signature = sign(stringToSign({ ...object, verb: "GET", headers: {}, expires }), credentials);
	const path = object.objectName.split("/").map(encodeURIComponent).join("/");
	const query = new URLSearchParams({
		OSSAccessKeyId: credentials.accessKeyId,
		Expires: expires,
		Signature: signature,
	});
	return `${origin}/${path}?${query}`;
}

// What OSS answers instead of an object: its XML, and its look at a presigned link.

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Credentials, sign, stringToSign } from "./presigned-link.js";

export interface OssError {
	readonly status: number;
	readonly code: string;
	readonly message: string;
	/** Further members of the XML. */
	readonly details?: Readonly<Record<string, string>>;
	readonly headers?: Readonly<Record<string, string>>;
}

/** As OSS: expiry is looked at before the signature, and a wrong signature is answered with what should be signed. */
export function checkLink(
	request: IncomingMessage,
	{ url, bucket, objectName }: { readonly url: URL; readonly bucket: string; readonly objectName: string },
	{ credentials, now }: { readonly credentials: Credentials; readonly now: number },
): OssError | undefined {
	const expires = url.searchParams.get("Expires") ?? "";
	const given = url.searchParams.get("Signature") ?? "";
	if (expires === "" || given === "") {
		const message = "You have no right to access this object because of bucket acl.";
		return { status: 403, code: "AccessDenied", message, details: { EC: "0003-00000001" } };
	}
	if (Number(expires) * 1000 < now) {
		const details = { Expires: new Date(Number(expires) * 1000).toISOString(), EC: "0002-00000069" };
		return { status: 403, code: "AccessDenied", message: "Request has expired.", details };
	}
	const { method: verb = "", headers } = request;
	const text = stringToSign({ verb, headers, expires, bucket, objectName });
	if (given === sign(text, credentials)) return undefined;
	const message = "The request signature we calculated does not match the signature you provided.";
	const details = { OSSAccessKeyId: credentials.accessKeyId, SignatureProvided: given, StringToSign: text };
	return { status: 403, code: "SignatureDoesNotMatch", message, details };
}

export function sendError(response: ServerResponse, error: OssError): void {
	const { status, code, message, details = {}, headers = {} } = error;
	const members = Object.entries({ Code: code, Message: message, ...details, HostId: "127.0.0.1" });
	const lines = members.map(([name, value]) => `  <${name}>${escapeXml(value)}</${name}>`);
	const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n${lines.join("\n")}\n</Error>\n`;
	response.writeHead(status, {
		"content-type": "application/xml",
		"content-length": Buffer.byteLength(xml),
		...headers,
	});
	response.end(xml);
}

function escapeXml(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// Headers that the SDK does not send by itself, put on single requests before they are signed.

import { createHash } from "node:crypto";
import type { $Command, DeleteObjectsCommand } from "@aws-sdk/client-s3";

interface Request {
	readonly headers: Record<string, string>;
	readonly body?: unknown;
}

function isRequest(request: unknown): request is Request {
	return typeof request === "object" && request !== null && "headers" in request;
}

type Changeable<Input extends object, Output extends object> = Pick<
	$Command<Input, Output, unknown>,
	"middlewareStack"
>;

/** Sends `command` with one header more. */
export function addHeader<Input extends object, Output extends object>(
	command: Changeable<Input, Output>,
	name: string,
	value: string,
): void {
	change(command, ({ headers }) => {
		headers[name] = value;
	});
}

/** OSS, and Swift, take no deletion of several objects without it; the SDK sends a checksum that they do not know. */
export function addContentMd5(command: DeleteObjectsCommand): void {
	change(command, ({ headers, body }) => {
		for (const name of Object.keys(headers))
			if (/^x-amz-(?:sdk-)?checksum-/.test(name.toLowerCase())) delete headers[name];
		headers["content-md5"] = contentMd5(body as string | Uint8Array);
	});
}

export function contentMd5(body: string | Uint8Array): string {
	return createHash("md5").update(body).digest("base64");
}

function change<Input extends object, Output extends object>(
	command: Changeable<Input, Output>,
	act: (request: Request) => void,
): void {
	command.middlewareStack.add(
		(next) => (args) => {
			if (isRequest(args.request)) act(args.request);
			return next(args);
		},
		// Behind whatever else makes headers, before the signature.
		{ step: "build", priority: "low" },
	);
}

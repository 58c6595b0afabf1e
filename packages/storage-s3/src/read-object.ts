// Reads an object from some place on, and goes on where a connection was cut.

import { Readable } from "node:stream";
import { GetObjectCommand, type GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { storeFault } from "@reelkeep/core/ports";
import type { BucketOptions } from "./bucket.js";
import { isChanged, isMissing, statusOf, toFault } from "./s3-fault.js";

/** Connections that may be cut one after the other without a byte between. */
const MAX_CUTS = 3;

/** *Errors*: rejects with a `StoreFault`: not retryable where there is no such object. */
export async function* readObject(
	options: BucketOptions,
	key: string,
	offset = 0,
): AsyncGenerator<Uint8Array, void, undefined> {
	let at = offset;
	let etag: string | undefined;
	for (let cuts = 0; ; ) {
		const opened = await getObject(options, key, { offset: at, etag });
		if (opened === "missing")
			throw storeFault("io", "there is no video at this location", { retryable: false });
		if (opened === "changed") throw storeFault("io", "the video was replaced while it was read");
		if (opened === "end") return;
		etag ??= opened.etag;
		try {
			for await (const chunk of opened.chunks) {
				at += chunk.byteLength;
				cuts = 0;
				yield chunk;
			}
			return;
		} catch (error) {
			cuts += 1;
			if (cuts >= MAX_CUTS) throw toFault(error, "reading a video");
		}
	}
}

export interface OpenedObject {
	readonly chunks: AsyncIterable<Uint8Array>;
	readonly etag: string | undefined;
	readonly metadata: Readonly<Record<string, string>>;
}

/** `end`: nothing is there from `offset` on. *Errors*: rejects with a `StoreFault`, and reading does with anything. */
export async function getObject(
	{ client, bucket, prefix }: BucketOptions,
	key: string,
	{ offset = 0, etag }: { readonly offset?: number; readonly etag?: string | undefined },
): Promise<OpenedObject | "missing" | "changed" | "end"> {
	try {
		const output = await client.send(
			new GetObjectCommand({
				Bucket: bucket,
				Key: prefix + key,
				...(offset === 0 ? {} : { Range: `bytes=${offset}-` }),
				...(etag === undefined ? {} : { IfMatch: etag }),
			}),
		);
		// OSS answers a range that it does not like with the whole.
		const toSkip = output.ContentRange === undefined ? offset : 0;
		return { chunks: skip(chunksOf(output), toSkip), etag: output.ETag, metadata: output.Metadata ?? {} };
	} catch (error) {
		if (statusOf(error) === 416) return "end";
		if (isMissing(error)) return "missing";
		if (isChanged(error)) return "changed";
		throw toFault(error, "reading a video");
	}
}

function chunksOf({ Body }: GetObjectCommandOutput): AsyncIterable<Uint8Array> {
	if (Body === undefined) return Readable.from([]);
	return Body instanceof Readable ? Body : Readable.fromWeb(Body.transformToWebStream());
}

async function* skip(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
	let left = bytes;
	for await (const chunk of chunks) {
		const rest = left === 0 ? chunk : chunk.subarray(left);
		left = Math.max(left - chunk.byteLength, 0);
		if (rest.byteLength > 0) yield rest;
	}
}
